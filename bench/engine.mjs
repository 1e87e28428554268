// The protocol engine alone: CPU per message of our session fed directly, beside npm smtp-server fed through a duplex stream, less what that
// stream costs with a responder that only looks for the end of the content.
import { createRequire } from 'node:module'
import { Duplex } from 'node:stream'
import { smtpServerConfig, smtpServerSession } from 'posthorn/smtp'
import { fmt, median, spread } from './lib/proc.mjs'

const END = Buffer.from('\r\n.\r\n')

function content(octets) {
  let text = 'From: <a@example.net>\r\nTo: <b@example.com>\r\nSubject: engine\r\nDate: Tue, 3 Mar 2026 10:00:00 +0000\r\n\r\n'
  for (let line = 0; text.length < octets; line++) {
    text += `${line % 50 === 49 ? '..' : ''}${'x'.repeat(Math.min(76, Math.max(0, octets - text.length - 2)))}\r\n`
  }
  return Buffer.from(`${text}.\r\n`)
}

function inputs(octets) {
  const body = content(octets)
  const pieces = []
  // As a socket gives them: each a buffer of its own.
  for (let at = 0; at < body.length; at += 65_536) pieces.push(Buffer.from(body.subarray(at, at + 65_536)))
  return { envelope: Buffer.from('MAIL FROM:<a@example.net>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n'), pieces }
}

/** Ours: every question gets its default answer, content is dropped. */
function session() {
  const engine = smtpServerSession(smtpServerConfig({ hostname: 'bench.example' }), {}, 0)
  let replies = 0
  const pump = () => {
    for (;;) {
      for (let event = engine.next(); event; event = engine.next()) if ('id' in event) engine.answer(event, undefined)
      const output = engine.takeOutput()
      if (output.length === 0) return
      replies += output.length
    }
  }
  const feed = (bytes) => {
    engine.receive(1, bytes)
    pump()
  }
  pump()
  feed(Buffer.from('EHLO bench.example\r\n'))
  return {
    message({ envelope, pieces }) {
      replies = 0
      feed(envelope)
      for (const piece of pieces) feed(piece)
      if (replies < 2 || engine.closed) throw new Error('the session did not answer')
    },
  }
}

class Pipe extends Duplex {
  constructor(heard) {
    super({ autoDestroy: true })
    this.heard = heard
    Object.assign(this, { remoteAddress: '127.0.0.1', localAddress: '127.0.0.1', remotePort: 1000, localPort: 25, remoteFamily: 'IPv4' })
  }
  get readyState() {
    return 'open'
  }
  _read() {}
  _write(chunk, _encoding, done) {
    this.heard(chunk)
    done()
  }
  setTimeout() { return this }
  setNoDelay() { return this }
  setKeepAlive() { return this }
  ref() { return this }
  unref() { return this }
  address() {
    return { address: '127.0.0.1', port: 25, family: 'IPv4' }
  }
}

const engines = {
  null(duplex) {
    let data = false
    let tail
    duplex.write('220 x\r\n')
    duplex.on('data', (bytes) => {
      if (tail) bytes = Buffer.concat([tail, bytes])
      tail = undefined
      let out = ''
      for (let at = 0; ; ) {
        if (data) {
          const end = bytes.indexOf(END, at)
          if (end < 0) {
            tail = bytes.subarray(Math.max(at, bytes.length - 4))
            break
          }
          at = end + 5
          data = false
          out += '250 ok\r\n'
        }
        const feed = bytes.indexOf(10, at)
        if (feed < 0) {
          if (at < bytes.length) tail = bytes.subarray(at)
          break
        }
        data = (bytes[at] | 32) === 100
        out += data ? '354 go\r\n' : '250 ok\r\n'
        at = feed + 1
      }
      if (out) duplex.write(out)
    })
  },
  'smtp-server': (() => {
    let server
    return (duplex) => {
      const { SMTPServer } = createRequire(import.meta.url)('smtp-server')
      server ??= new SMTPServer({
        authOptional: true, disabledCommands: ['AUTH', 'STARTTLS'], disableReverseLookup: true, logger: false,
        onData(stream, _session, done) {
          stream.resume()
          stream.on('end', () => done(null, 'OK'))
        },
      })
      server.connect(duplex, {})
    }
  })(),
}

/** Talks to an engine that wants a stream. */
async function streamed(engine) {
  let wake
  let need = 0
  let text = ''
  const pipe = new Pipe((chunk) => {
    text += chunk.latin1Slice()
    const finals = text.split('\r\n').slice(0, -1).filter((line) => line[3] === ' ')
    if (finals.some((line) => line[0] > '3')) throw new Error(text)
    if (wake && finals.length >= need) {
      text = ''
      setImmediate(wake)
      wake = undefined
    }
  })
  const replies = (count) => new Promise((resolve) => {
    need = count
    wake = resolve
  })
  let heard = replies(1)
  engine(pipe)
  await heard
  heard = replies(1)
  pipe.push('EHLO bench.example\r\n')
  await heard
  return {
    async message({ envelope, pieces }) {
      let next = replies(3)
      pipe.push(envelope)
      await next
      next = replies(1)
      for (const piece of pieces) pipe.push(piece)
      await next
    },
    end: () => pipe.destroy(),
  }
}

async function micros(conversation, input, secs) {
  const until = async (seconds) => {
    const began = performance.now()
    let count = 0
    for (; performance.now() - began < seconds * 1000; count++) await conversation.message(input)
    return count
  }
  await until(0.4)
  const before = process.cpuUsage()
  const count = await until(secs)
  const spent = process.cpuUsage(before)
  return (spent.user + spent.system) / count
}

export async function run({ rounds, secs, targets }) {
  console.log('\n| id | content | ours, CPU µs a message (min–max) | aimed at | met | smtp-server, net of its stream | ratio |\n|---|---|---|---|---|---|---|')
  const least = { 1024: 3.5, 10240: 4, 102400: 5, 5000000: 4.5 }
  const alive = setInterval(() => {}, 1e6)
  for (const { octets, atMost } of targets) {
    const input = inputs(octets)
    const figures = { ours: [], null: [], 'smtp-server': [] }
    for (let round = 0; round < rounds; round++) {
      figures.ours.push(await micros(session(), input, secs))
      for (const name of Object.keys(engines)) {
        const conversation = await streamed(engines[name])
        figures[name].push(await micros(conversation, input, secs))
        conversation.end()
      }
    }
    const ours = median(figures.ours)
    const net = median(figures['smtp-server']) - median(figures.null)
    const met = ours <= atMost && net / ours >= least[octets]
    console.log(`| PE1 | ${octets} octets | ${fmt(ours)} (${spread(figures.ours).map(fmt).join('–')}) | ≤ ${atMost}, ${least[octets]} × | ${met ? 'yes' : 'no'} | ${fmt(net)} | ${fmt(net / ours)} |`)
  }
  clearInterval(alive)
}
