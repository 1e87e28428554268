import { afterAll, beforeAll, expect, it } from 'vitest'
import { certificateIn } from './certificate.ts'
import { type Ran, run } from './children.ts'
import { swaksOptions } from './clients.ts'
import { holding } from './held.ts'
import { Inbox } from './inbox.ts'
import { fileOf, type Mail, plainMail } from './mail.ts'
import { describeWith } from './programs.ts'

const held = holding()
const folder = held.folder('proxied')
const certificate = certificateIn(folder, held)

/** Sends a message with swaks and these options besides; the exit code and what it said. */
async function send(inbox: Inbox, mail: Mail, more: readonly string[], source = '127.0.0.1'): Promise<Ran> {
  const file = fileOf(mail, folder)
  return run('swaks', [...swaksOptions({ port: inbox.port, to: ['alice@example.test'], file, source }), ...more])
}

describeWith(['swaks'], 'XCLIENT', () => {
  let inbox: Inbox
  const seen: (string | undefined)[] = []
  beforeAll(async () => {
    inbox = await Inbox.open({
      trusted: ['127.0.0.7'],
      policies: [{
        name: 'seen',
        connect: ({ peer }) => void seen.push(peer.address),
        sender: (_, { connection: { peer, account } }) => void seen.push(`${peer.address} ${peer.port} ${account}`),
      }],
      listen: { tls: { mode: 'starttls', certificates: certificate.source } },
    })
  })
  afterAll(() => inbox.stop())

  const named = ['--xclient-addr', '192.0.2.7', '--xclient-port', '4321', '--xclient-name', 'client.example']

  it.each([
    ['in plain text', [], 'ESMTP'],
    ['after STARTTLS', ['--tls'], 'ESMTPS'],
    ['before STARTTLS', ['--tls', '--xclient-before-starttls'], 'ESMTPS'],
    ['with a login', ['--xclient-login', 'alice'], 'ESMTPA'],
    ['in two commands', ['--xclient-delim', '--xclient-helo', 'real.client.example'], 'ESMTP'],
    ['with an address of version 6', ['--xclient-addr', 'IPV6:2001:db8::7'], 'ESMTP'],
  ])('names the client %s', async (how, more, type) => {
    const mail = plainMail('xclient')
    seen.length = 0
    const { code, text } = await send(inbox, mail, [...named, ...more], '127.0.0.7')
    expect(code, text).toBe(0)
    const { connection, trace } = await inbox.message(mail.subject)
    const address = how.endsWith('version 6') ? '2001:db8::7' : '192.0.2.7'
    expect(connection.peer).toMatchObject({ address, port: 4321, proxy: '127.0.0.7' })
    expect(trace).toMatchObject({ address, with: type })
    expect(seen[0]).toBe('127.0.0.7')
    expect(seen).toContain(address)
    expect(seen.at(-1)).toBe(`${address} 4321 ${how === 'with a login' ? 'alice' : 'undefined'}`)
  })

  it('is not offered to strangers', async () => {
    const offered = await send(inbox, plainMail('xclient'), named, '127.0.0.8')
    expect(offered.code).toBe(33)
    expect(offered.text).toContain('Host did not advertise XCLIENT')
  })
})

describeWith(['swaks'], 'PROXY headers of swaks', () => {
  let inbox: Inbox
  beforeAll(async () => {
    inbox = await Inbox.open({ listen: { proxy: { from: ['127.0.0.9'], within: 1000 } } })
  })
  afterAll(() => inbox.stop())

  const turnedAway = (wanted: string) => () =>
    inbox.told('turnedAway').find(({ address, reason }) => `${address} ${reason}` === wanted)
  const header = (version: '1' | '2', family: string, source: string, dest: string): string[] => [
    '--proxy-version', version, '--proxy-family', family, '--proxy-source', source, '--proxy-source-port', '5555',
    '--proxy-dest', dest, '--proxy-dest-port', '25',
  ]

  it.each([
    ['1', 'TCP4', '192.0.2.9', '198.51.100.1'],
    ['1', 'TCP6', '2001:db8::9', '2001:db8::1'],
    ['2', 'AF_INET', '192.0.2.9', '198.51.100.1'],
  ] as const)('version %s, %s: the client is who the proxy says', async (version, family, source, dest) => {
    const mail = plainMail('proxied')
    const { code, text } = await send(inbox, mail, header(version, family, source, dest), '127.0.0.9')
    expect(code, text).toBe(0)
    const { connection, trace } = await inbox.message(mail.subject)
    expect(connection.peer).toMatchObject({ address: source, port: 5555, localAddress: dest, localPort: 25, proxy: '127.0.0.9' })
    expect(trace.address).toBe(source)
    expect(inbox.told('connected').at(-1)).toMatchObject({ address: source, port: 5555 })
  })

  it.each(['1', '2'] as const)('version %s is refused from an address that is no proxy', async (version) => {
    const family = version === '1' ? 'TCP4' : 'AF_INET'
    const { code } = await send(inbox, plainMail('forged'), header(version, family, '192.0.2.9', '198.51.100.1'), '127.0.0.10')
    expect(code).not.toBe(0)
    await inbox.until(turnedAway('127.0.0.10 untrusted-proxy'), 'the refusal')
  })

  it('is required of a proxy', async () => {
    const { code } = await send(inbox, plainMail('no header'), [], '127.0.0.9')
    expect(code).not.toBe(0)
    await inbox.until(turnedAway('127.0.0.9 proxy-header'), 'the refusal')
  })
})

describeWith(['swaks'], 'a server that expects no proxy', () => {
  it('takes a PROXY header for what it is: a client that speaks out of turn', async () => {
    const inbox = await Inbox.open()
    held.later(() => inbox.stop())
    const { code } = await send(inbox, plainMail('forged'), [
      '--proxy-version', '1', '--proxy-family', 'TCP4', '--proxy-source', '192.0.2.9', '--proxy-source-port', '5555',
      '--proxy-dest', '198.51.100.1', '--proxy-dest-port', '25',
    ])
    expect(code).not.toBe(0)
    expect(inbox.taken).toEqual([])
  })
})
