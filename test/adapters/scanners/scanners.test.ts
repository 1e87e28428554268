import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { clamd, rspamd, type ScannerEvent, type ScannerOptions, spamd } from '../../../src/adapters/scanners/index.ts'
import type { Scanned, Scanner } from '../../../src/contracts/scanner.ts'
import { type Caller, cutAt, deadPort, fakeServer } from './fake-server.ts'
import { never, type Scannable, subjectOf } from './subject.ts'

const HOUR = 3_600_000

/** How each of them is made, when it has heard all of a message, and an answer with what that means. */
interface Kind {
  readonly name: string
  readonly make: (port: number, options?: ScannerOptions) => Required<Scanner>
  readonly end: string
  readonly answer: string
  readonly found: Scanned
}

const body = '{"score":15,"required_score":15,"action":"reject","symbols":{"GTUBE":{"score":15}}}'
const kinds: readonly Kind[] = [
  {
    name: 'clamd',
    make: (port, options) => clamd({ port, ...options }),
    end: 'the end\0\0\0\0',
    answer: 'stream: Eicar-Signature FOUND\0',
    found: { action: 'reject', findings: [{ name: 'Eicar-Signature' }] },
  },
  {
    name: 'spamd',
    make: (port, options) => spamd({ port, ...options }),
    end: 'the end',
    answer: 'SPAMD/1.1 0 EX_OK\r\nContent-length: 7\r\nSpam: True ; 15.3 / 5.0\r\n\r\nGTUBE\r\n',
    found: { action: 'quarantine', findings: [{ name: 'GTUBE' }], score: 15.3, threshold: 5 },
  },
  {
    name: 'rspamd',
    make: (port, options) => rspamd({ url: `http://127.0.0.1:${port}`, ...options }),
    end: 'the end',
    answer: `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    found: { action: 'reject', findings: [{ name: 'GTUBE', score: 15 }], score: 15, threshold: 15 },
  },
]

const message = (): Scannable => subjectOf(['Subject: x\r\n\r\n', 'the end'])

/** Closed after the test. */
function kept<T extends Required<Scanner>>(scanner: T): T {
  onTestFinished(() => scanner.close())
  return scanner
}

const refused = (code: string, text: RegExp): object =>
  expect.objectContaining({ code, message: expect.stringMatching(text) as string }) as object

describe.each(kinds)('$name', ({ name, make, end, answer, found }) => {
  const answering = (text: string) => async (caller: Caller): Promise<void> => {
    await caller.heard(end)
    await caller.answer(text)
  }

  it('says what it found, however its answer is split', async () => {
    let pieces: readonly string[] = []
    const port = await fakeServer(async (caller) => {
      await caller.heard(end)
      await caller.answer(...pieces)
    })
    const scanner = kept(make(port))
    await fc.assert(fc.asyncProperty(fc.array(fc.nat(), { maxLength: 6 }), async (places) => {
      pieces = cutAt(answer, places)
      expect(await scanner.scan(message(), never())).toEqual(found)
    }), { numRuns: 15 })
  })

  it('takes an answer that comes before the end of the message, and reads no more of that', async () => {
    const port = await fakeServer(async (caller) => {
      await caller.heard('Subject: x')
      await caller.answer(answer)
    })
    const large = subjectOf(['Subject: x\r\n\r\n', ...Array.from({ length: 600 }, () => new Uint8Array(65_536).fill(32))])
    expect(await kept(make(port, { maxSize: large.octets })).scan(large, never())).toEqual(found)
    await vi.waitFor(() => expect(large.released()).toBe(true), 20_000)
    expect(large.taken()).toBeLessThan(600)
  })

  it('is given a message no faster than it takes it', async () => {
    const port = await fakeServer(({ socket }) => socket.pause())
    const chunk = new Uint8Array(65_536)
    const large = subjectOf(Array.from({ length: 700 }, () => chunk))
    const scanner = kept(make(port, { maxSize: large.octets, timeouts: { idle: 300 } }))
    await expect(scanner.scan(large, never())).rejects.toEqual(refused('temporary', /nothing moved for 300 ms/))
    // What the sockets hold is all that was read: some megabytes.
    expect(large.taken()).toBeLessThan(400)
  })

  it('cannot say where nobody listens', async () => {
    const scanner = kept(make(await deadPort()))
    await expect(scanner.scan(message(), never())).rejects.toEqual(refused('temporary', new RegExp(`^${name}: .*ECONNREFUSED`)))
  })

  it.each<readonly [string, (caller: Caller) => unknown, RegExp]>([
    ['hangs up', ({ socket }) => socket.end(), /connection|hang up|ECONN|EPIPE/],
    ['breaks', ({ socket }) => socket.resetAndDestroy(), /connection|hang up|ECONN|EPIPE/],
    ['talks nonsense', async (caller) => caller.answer('nonsense\r\n\r\n\0'), /makes no sense|Parse Error/],
    ['stops within its answer', async (caller) => caller.answer(answer.slice(0, -5)), /no end|cut off|aborted|ECONN/],
    ['never ends its answer', async ({ socket }) => {
      const [head] = answer.split('\r\n\r\n', 1)
      if (answer.includes('\r\n\r\n')) socket.write(`${head!.replace(/Content-Length.*/, 'X: y')}\r\n\r\n`)
      while (!socket.destroyed) {
        socket.write('x'.repeat(60_000))
        await delay(1)
      }
    }, /its answer has more than \d+ octets/],
  ])('cannot say where the other end %s', async (_, talk, why) => {
    const scanner = kept(make(await fakeServer(talk)))
    await expect(scanner.scan(message(), never())).rejects.toEqual(refused('temporary', why))
  })

  it('cannot say where the other end says nothing', async () => {
    const scanner = kept(make(await fakeServer(() => undefined), { timeouts: { idle: 80 } }))
    await expect(scanner.scan(message(), never())).rejects.toEqual(refused('temporary', /nothing moved for 80 ms/))
  })

  it('cannot say within its time', async () => {
    const port = await fakeServer(async ({ socket }) => {
      while (!socket.destroyed) {
        socket.write('S')
        await delay(5)
      }
    })
    const scanner = kept(make(port, { timeouts: { total: 150 } }))
    await expect(scanner.scan(message(), never())).rejects.toEqual(refused('temporary', /no answer within 150 ms|Parse Error/))
  })

  it('lets go when nobody wants the answer, before and while it is at work', async () => {
    const controller = new AbortController()
    const callers: Caller[] = []
    const port = await fakeServer(async (caller) => {
      callers.push(caller)
      await caller.heard(end)
      controller.abort()
    })
    const scanner = kept(make(port))
    await expect(scanner.scan(message(), controller.signal)).rejects.toEqual(refused('temporary', /was given up/))
    await expect(scanner.scan(message(), controller.signal)).rejects.toEqual(refused('temporary', /was given up/))
    expect(callers).toHaveLength(1)
    const { socket } = callers[0]!
    if (!socket.readableEnded && !socket.destroyed) await new Promise((resolve) => socket.on('end', resolve).on('close', resolve))
  })

  it('ends what is under way when it is closed, and is not asked any more', async () => {
    const scanner = make(await fakeServer(async (caller) => {
      await caller.heard(end)
      void scanner.close()
    }))
    await expect(scanner.scan(message(), never())).rejects.toEqual(refused('closed', /was closed/))
    await expect(scanner.scan(message(), never())).rejects.toEqual(refused('closed', /was closed/))
    await scanner.close()
  })

  it('is given so many messages at a time, and the others after them', async () => {
    const waiting: Caller[] = []
    const talked: { readonly now: () => void }[] = []
    let [open, most] = [0, 0]
    const port = await fakeServer(async (caller) => {
      most = Math.max(most, ++open)
      await caller.heard(end)
      waiting.push(caller)
      talked.shift()?.now()
    })
    const scanner = kept(make(port, { connections: 2 }))
    const scans = Promise.all(Array.from({ length: 7 }, () => scanner.scan(message(), never())))
    for (let done = 0; done < 7; done++) {
      if (waiting.length === 0) await new Promise<void>((now) => talked.push({ now }))
      open--
      void waiting.shift()!.answer(answer)
    }
    expect(await scans).toEqual(Array.from({ length: 7 }, () => found))
    expect(most).toBe(2)
  })

  it('is not asked for a while when it has failed often', async () => {
    const events: ScannerEvent[] = []
    let calls = 0
    const port = await fakeServer(({ socket }) => {
      calls++
      socket.destroy()
    })
    const onEvent = (event: ScannerEvent): void => {
      events.push(event)
      throw new Error('whose trouble is it')
    }
    const scanner = kept(make(port, { breaker: { failures: 3, pause: HOUR }, onEvent }))
    for (let at = 0; at < 3; at++) {
      await expect(scanner.scan(message(), never())).rejects.toEqual(refused('temporary', /connection|hang up|ECONN|EPIPE/))
    }
    await expect(scanner.scan(message(), never())).rejects.toEqual(refused('temporary', /is not asked for a while, .* failed: /))
    expect(calls).toBe(3)
    expect(events).toEqual([{ kind: 'opened', scanner: name, error: refused('temporary', new RegExp(`^${name}: `)) }])
  })

  it('is asked again after that, and all goes on', async () => {
    const events: string[] = []
    let isWell = false
    const port = await fakeServer(async (caller) => {
      if (!isWell) return caller.socket.destroy()
      await caller.heard(end)
      return caller.answer(answer)
    })
    const onEvent = ({ kind }: ScannerEvent): void => void events.push(kind)
    const scanner = kept(make(port, { breaker: { failures: 1, pause: 1 }, onEvent }))
    const scanned = (): Promise<unknown> => scanner.scan(message(), never()).catch(() => undefined)
    await scanned()
    // A try that fails keeps it closed off, and is not told again.
    await delay(5)
    await scanned()
    isWell = true
    await delay(5)
    expect(await Promise.all([scanned(), scanned()])).toEqual([found, found])
    expect(events).toEqual(['opened', 'closed'])
  })

  it('does not count as sick for what it cannot say of one message, nor for whoever gave up', async () => {
    const port = await fakeServer(answering(answer))
    const scanner = kept(make(port, { maxSize: 100, breaker: { failures: 1, pause: HOUR } }))
    const large = { ...message(), octets: 101 }
    await expect(scanner.scan(large, never())).rejects.toEqual(refused('permanent', /101 octets are more than .* \(100\)/))
    const broken = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('disk')) }) }
    const unreadable = { ...message(), raw: () => broken }
    await expect(scanner.scan(unreadable, never())).rejects.toEqual(refused('temporary', /cannot be read/))
    await expect(scanner.scan(message(), AbortSignal.abort())).rejects.toEqual(refused('temporary', /given up/))
    expect(await scanner.scan(message(), never())).toEqual(found)
  })
})

describe('what they say', () => {
  it('clamd: INSTREAM, over a unix socket too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-clamd-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const path = join(folder, 'clamd.sock')
    let said = ''
    await fakeServer(async (caller) => {
      await caller.heard('twelve\0\0\0\0')
      said = caller.said()
      await caller.answer('stream: OK\0')
    }, path)
    expect(await kept(clamd({ path })).scan(subjectOf(['one', 'twelve']), never())).toEqual({ action: 'pass', findings: [] })
    expect(said).toBe('zINSTREAM\0\0\0\0\u0003one\0\0\0\u0006twelve\0\0\0\0')
  })

  it('clamd: its version', async () => {
    const port = await fakeServer(async (caller) => {
      await caller.heard('zVERSION\0')
      await caller.answer('ClamAV 1.4.3/27650\0')
    })
    expect(await kept(clamd({ port })).version()).toBe('ClamAV 1.4.3/27650')
  })

  it('clamd: too large, where it says so itself', async () => {
    const port = await fakeServer(async (caller) => {
      await caller.heard('x')
      await caller.answer('INSTREAM size limit exceeded. ERROR\0')
    })
    await expect(kept(clamd({ port })).scan(subjectOf(['x']), never())).rejects.toEqual(refused('permanent', /size limit/))
  })

  it('spamd: SYMBOLS, for a user', async () => {
    let said = ''
    const port = await fakeServer(async (caller) => {
      await caller.heard('the end')
      said = caller.said()
      await caller.answer('SPAMD/1.1 0 EX_OK\r\nSpam: False ; 0 / 5\r\n\r\n')
    })
    await kept(spamd({ host: '127.0.0.1', port, user: 'alice' })).scan(message(), never())
    expect(said).toBe('SYMBOLS SPAMC/1.5\r\nContent-length: 21\r\nUser: alice\r\n\r\nSubject: x\r\n\r\nthe end')
  })

  it('spamd: that no more will come, or else it waits for the end of the last line', async () => {
    const port = await fakeServer((caller) => {
      caller.socket.on('end', () => void caller.answer('SPAMD/1.1 0 EX_OK\r\nSpam: False ; 0 / 5\r\n\r\n'))
    })
    expect(await kept(spamd({ port })).scan(message(), never())).toMatchObject({ action: 'pass' })
  })

  it('rspamd: POST /checkv2, with what is known', async () => {
    const seen: { request: IncomingMessage; body: string }[] = []
    const server = createServer((request, response) => {
      let text = ''
      request.on('data', (bytes: Buffer) => (text += bytes.toString())).on('end', () => {
        seen.push({ request, body: text })
        response.end(JSON.stringify({ action: 'no action', score: 1 }))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const scanner = kept(rspamd({ url: `http://127.0.0.1:${port}/mail/`, password: 'sesame', hostname: 'mx.test' }))
    expect(await scanner.scan(message(), never())).toEqual({ action: 'pass', findings: [], score: 1 })
    const [{ request, body: text }] = seen as [(typeof seen)[0]]
    expect([request.method, request.url, text]).toEqual(['POST', '/mail/checkv2', 'Subject: x\r\n\r\nthe end'])
    expect(request.rawHeaders).toEqual([
      'Host', `127.0.0.1:${port}`, 'User-Agent', 'posthorn', 'Content-Length', '21', 'Connection', 'close', 'Password', 'sesame',
      'IP', '203.0.113.9', 'Helo', 'client.test', 'From', 'alice@a.test', 'Rcpt', 'bob@b.test', 'Rcpt', '"carol smith"@b.test',
      'Queue-Id', 'c-1.1', 'MTA-Name', 'mx.test',
    ])
  })
})

describe('options', () => {
  it.each<readonly [string, () => unknown, RegExp]>([
    ['clamd a path and a port', () => clamd({ path: '/run/clamd', port: 3310 }), /give path, or host and port/],
    ['clamd no port', () => clamd({ port: 0 }), /clamd: port is 0; it takes a port/],
    ['clamd a misspelt one', () => clamd({ maxsize: 1 } as object), /no option "maxsize". Did you mean maxSize/],
    ['spamd a user of two lines', () => spamd({ user: 'a\r\nb' }), /spamd: user is/],
    ['spamd no time', () => spamd({ timeouts: { idle: 0 } }), /spamd: timeouts: idle is 0/],
    ['spamd for ever', () => spamd({ timeouts: { total: Infinity } }), /at most a day/],
    ['rspamd another protocol', () => rspamd({ url: 'ftp://a.test' }), /rspamd: url is .*; it takes a URL, http or https/],
    ['rspamd a query', () => rspamd({ url: 'http://a.test/?x=y' }), /without \? and #/],
    ['rspamd a breaker that never opens', () => rspamd({ breaker: { failures: 0 } }), /breaker: failures is 0/],
  ])('refuses to give %s', (_, make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: 'config', message: expect.stringMatching(message) as string }) as Error)
  })
})
