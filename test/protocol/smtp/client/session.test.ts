import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../../src/adapters/node/index.ts'
import { type ClientTalkOptions, ClientTalk, ehlo, greeted, messageTo } from './talk.ts'

const PIPE = 'PIPELINING'
const one = messageTo(['b@example.org'])
const two = messageTo(['b@example.org', 'c@example.org'])
const QUITS = 'EHLO client.example|QUIT'
const lines = (text: string): string[] => text.split('\r\n').slice(0, -1)
const login = { identity: { username: 'ann', password: 'secret' }, crypto: nodeCrypto }

const optional = { ...login, required: false }
const HELLO = 'failed hello refused, open'
const NO_AUTH = 'failed auth auth-not-offered, open'
const TLS_REFUSED = ['220 hi', ...ehlo('STARTTLS'), '454 no']

function fresh(options: ClientTalkOptions = {}): ClientTalk {
  const talk = new ClientTalk(options)
  talk.pump()
  return talk
}

describe('how it begins', () => {
  it.each<[string, ClientTalkOptions, readonly string[], string, string | undefined]>([
    ['no service', {}, ['554 no'], 'QUIT', 'failed connect refused, open'],
    ['not now', {}, ['421 later'], '', 'failed connect refused'],
    ['not for us now', {}, ['450 later'], 'QUIT', 'failed connect refused, open'],
    ['a greeting of several lines', {}, ['220-mx', '220 hello'], 'EHLO client.example', undefined],
    ['garbage', {}, ['SSH-2.0-OpenSSH'], '', 'failed connect protocol'],
    ['something else', {}, ['354 go'], '', 'failed connect protocol'],
    ['EHLO is unknown', {}, ['220 hi', '500 what'], 'EHLO client.example|HELO client.example', undefined],
    ['EHLO and HELO are refused', {}, ['220 hi', '502 no', '550 no'], 'EHLO client.example|HELO client.example|QUIT', HELLO],
    ['EHLO is refused for now', {}, ['220 hi', '451 no'], QUITS, HELLO],
    ['HELO has no TLS', { tls: 'required' }, ['220 hi', '500 what'], QUITS, HELLO],
    ['HELO has no AUTH', { auth: login }, ['220 hi', '500 what'], QUITS, HELLO],
    ['LHLO', { protocol: 'lmtp' }, ['220 hi', '500 what'], 'LHLO client.example|QUIT', HELLO],
    ['TLS is not offered', { tls: 'required' }, ['220 hi', ...ehlo()], QUITS, 'failed tls tls-not-offered, open'],
    ['TLS is refused', { tls: 'required' }, TLS_REFUSED, 'EHLO client.example|STARTTLS|QUIT', 'failed tls refused, open'],
    ['TLS is refused, and not needed', { tls: 'opportunistic' }, TLS_REFUSED, 'EHLO client.example|STARTTLS', undefined],
    ['TLS is offered, and not wanted', {}, ['220 hi', ...ehlo('STARTTLS')], 'EHLO client.example', undefined],
    ['AUTH is not offered', { auth: { ...login, withoutTls: true } }, ['220 hi', ...ehlo()], QUITS, NO_AUTH],
    ['AUTH without TLS', { auth: login }, ['220 hi', ...ehlo('AUTH PLAIN')], QUITS, NO_AUTH],
    ['AUTH that need not be', { auth: optional }, ['220 hi', ...ehlo('AUTH PLAIN')], 'EHLO client.example', undefined],
  ])('%s', (_, options, replies, said, ended) => {
    const talk = fresh(options)
    for (const reply of replies) talk.hear(reply)
    expect(lines(talk.said)).toEqual(said === '' ? [] : said.split('|'))
    expect(talk.ended()).toBe(ended)
  })

  it('forgets what it learned before TLS', () => {
    const talk = fresh({ tls: 'opportunistic', messages: [one] })
    talk.hear('220 hi', ...ehlo('STARTTLS', PIPE, 'AUTH PLAIN', 'SIZE 10'))
    expect(talk.hear('220 go')).toBe('')
    expect(talk.kinds()).toEqual(['startTls'])
    expect(talk.secured()).toBe('EHLO client.example\r\n')
    talk.hear(...ehlo('SIZE 99'))
    const { capabilities, secure, tls } = talk.last('ready')
    expect([...capabilities.keywords]).toEqual([['SIZE', '99']])
    expect([secure, tls?.protocol, talk.session.closed]).toEqual([true, 'TLSv1.3', false])
  })

  it.each([
    ['in one piece', '220 go\r\n250 evil\r\n'],
    ['behind it', '220 go\r\n|250 evil\r\n'],
  ])('plaintext behind STARTTLS ends it: %s', (_, text) => {
    const talk = fresh({ tls: 'opportunistic' })
    talk.hear('220 hi', ...ehlo('STARTTLS'))
    for (const piece of text.split('|')) talk.send(piece)
    expect(talk.ended()).toBe('failed tls protocol')
    expect(talk.secured()).toBe('')
  })

  it.each<[string, string, readonly string[], string]>([
    ['PLAIN, all at once', 'PLAIN', ['235 ok'], 'AUTH PLAIN AGFubgBzZWNyZXQ='],
    ['LOGIN', 'LOGIN', ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6', '235 ok'], 'AUTH LOGIN|YW5u|c2VjcmV0'],
    [
      'the next where one is too weak', 'PLAIN LOGIN', ['534 5.7.9 too weak', '334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6', '235 ok'],
      'AUTH PLAIN AGFubgBzZWNyZXQ=|AUTH LOGIN|YW5u|c2VjcmV0',
    ],
    ['a server of old', '', ['235 ok'], 'AUTH PLAIN AGFubgBzZWNyZXQ='],
  ])('logs in: %s', (_, mechanisms, replies, said) => {
    const talk = fresh({ auth: login, tls: 'implicit' })
    talk.hear('220 hi', ...ehlo(mechanisms === '' ? 'AUTH=PLAIN' : `AUTH ${mechanisms}`))
    for (const reply of replies) talk.hear(reply)
    expect(lines(talk.said).slice(1)).toEqual(said.split('|'))
    expect(talk.last('ready').mechanism).toBe(said.includes('LOGIN') ? 'LOGIN' : 'PLAIN')
  })

  it('gives an exchange up that makes no sense', () => {
    const talk = fresh({ auth: login, tls: 'implicit' })
    talk.hear('220 hi', ...ehlo('AUTH LOGIN'))
    expect(talk.hear('334 !!!')).toBe('*\r\n')
    expect(talk.hear('501 cancelled')).toBe('QUIT\r\n')
    expect(talk.ended()).toBe('failed auth auth-failed, open')
  })

  it('does not use a server that has not proven to know the password', () => {
    const talk = fresh({ auth: login, tls: 'implicit' })
    talk.hear('220 hi', ...ehlo('AUTH SCRAM-SHA-256'))
    expect(talk.hear('235 come in')).toBe('')
    expect(talk.ended()).toBe('failed auth auth-failed')
  })
})

describe('an envelope', () => {
  it('goes in one batch where the server takes that', () => {
    const talk = greeted({ messages: [two] }, PIPE)
    const batch = ['MAIL FROM:<a@client.example>', 'RCPT TO:<b@example.org>', 'RCPT TO:<c@example.org>', 'DATA']
    expect(lines(talk.said).slice(1)).toEqual(batch)
    talk.hear('250 ok', '250 ok', '552 5.5.3 too many', '354 go', '250 2.0.0 taken')
    // S28: 552 in answer to RCPT is 452.
    expect(talk.outcomes()).toEqual(['1: temporary recipient refused 452 4.5.3', '0: accepted content 250 2.0.0'])
    expect(talk.last('done')).toMatchObject({ accepted: 1, temporary: 1, permanent: 0, unknown: 0, octets: 20 })
  })

  it('goes one by one where it does not, and is not continued in vain', () => {
    const talk = greeted({ messages: [two] })
    const said = ['250 ok', '550 5.1.1 nobody', '550 nobody'].map((reply) => talk.hear(reply))
    expect(said).toEqual(['RCPT TO:<b@example.org>\r\n', 'RCPT TO:<c@example.org>\r\n', ''])
    expect(talk.outcomes()).toEqual(['0: permanent recipient refused 550 5.1.1', '1: permanent recipient refused 550 5.0.0'])
  })

  it('a lone dot where there is nobody to have the content (RFC 2920 §3.1), and RSET', () => {
    const talk = greeted({ messages: [one, one] }, PIPE)
    expect(talk.hear('250 ok', '550 nobody', '354 go')).toBe('.\r\n')
    expect(lines(talk.hear('554 nobody'))).toEqual(['RSET', 'MAIL FROM:<a@client.example>', 'RCPT TO:<b@example.org>', 'DATA'])
  })

  it('MAIL is refused: what follows says nothing', () => {
    const talk = greeted({ messages: [two, one] }, PIPE)
    talk.hear('550 5.7.1 not you', '503 no', '250 what', '503 no')
    expect(talk.outcomes()).toEqual(['0: permanent sender refused 550 5.7.1', '1: permanent sender refused 550 5.7.1'])
    expect(lines(talk.said).at(-3)).toBe('MAIL FROM:<a@client.example>')
  })

  const told = (both: string): string[] => [`0: ${both}`, `1: ${both}`]
  const yes = (times: number): string[] => Array.from({ length: times }, () => '250 ok')
  it.each<[string, readonly string[], string[], string]>([
    ['DATA is refused', [...yes(3), '451 4.3.0 later'], told('temporary data refused 451 4.3.0'), ''],
    ['421 to MAIL', ['421 4.3.2 bye'], told('temporary sender refused 421 4.3.2'), 'failed sender refused'],
    [
      '421 to RCPT', [...yes(2), '421 bye'],
      ['1: temporary recipient refused 421 4.0.0', '0: temporary data refused 421 4.0.0'], 'failed recipient refused',
    ],
    ['421 to content', [...yes(3), '354 go', '421 bye'], told('temporary content refused 421 4.0.0'), 'failed content refused'],
    [
      'an enhanced code that does not fit', [...yes(2), '450 5.1.1 what', '354 go', '250 ok'],
      ['1: temporary recipient refused 450 4.0.0', '0: accepted content 250 2.0.0'], '',
    ],
    ['nonsense to RCPT', ['250 ok', '354 go'], told('temporary recipient protocol 451 4.5.0'), 'failed recipient protocol'],
    ['a yes to DATA', yes(4), told('temporary data protocol 451 4.5.0'), 'failed data protocol'],
    [
      'codes that differ', ['250 ok', '250-ok', '550 no', '250 ok', '354 go', '250 ok'],
      ['0: permanent recipient refused 550 5.0.0', '1: accepted content 250 2.0.0'], '',
    ],
  ])('%s', (_, replies, outcomes, ended) => {
    const talk = greeted({ messages: [two] }, PIPE)
    talk.hear(...replies)
    expect(talk.outcomes()).toEqual(outcomes)
    expect(talk.ended() ?? '').toBe(ended)
  })

  it('no more commands at a time than the window has room for', () => {
    const to = Array.from({ length: 10 }, (_, at) => `b${at}@example.org`)
    const talk = greeted({ messages: [messageTo(to)], limits: { window: 4 } }, PIPE)
    expect(lines(talk.said).slice(1)).toHaveLength(4)
    expect(lines(talk.hear('250 ok', '250 ok'))).toHaveLength(2)
  })
})

describe('how it ends', () => {
  const content = (options: ClientTalkOptions = {}): ClientTalk => {
    const talk = greeted({ messages: [two], ...options }, PIPE)
    talk.hear('250 ok', '250 ok', '250 ok', '354 go')
    return talk
  }

  it('unknown: all was sent, and nothing heard', () => {
    const talk = content()
    talk.cut()
    expect(talk.outcomes()).toEqual(['0: unknown content lost 451 4.4.2', '1: unknown content lost 451 4.4.2'])
    expect(talk.last('done')).toMatchObject({ unknown: 2 })
    expect(talk.ended()).toBe('failed content lost')
  })

  it('temporary: the end of the content has not left', () => {
    const talk = greeted({ messages: [one], answers: { content: () => 'wait' } }, PIPE)
    talk.hear('250 ok', '250 ok', '354 go')
    talk.session.answer(talk.last('content'), { bytes: new Uint8Array(3), last: true })
    talk.session.next()
    talk.session.disconnect(0)
    expect(talk.session.takeOutput()).toEqual([])
    talk.pump()
    expect(talk.outcomes()).toEqual(['0: temporary content lost 451 4.4.2'])
  })

  it('the host has no content: half a message is never ended', () => {
    const talk = greeted({ messages: [one], answers: { content: () => undefined } }, PIPE)
    expect(talk.hear('250 ok', '250 ok', '354 go')).toBe('')
    expect(talk.outcomes()).toEqual(['0: temporary content host 451 4.3.0'])
    expect(talk.ended()).toBe('failed content host')
  })

  it('content that is refused on its way', () => {
    const talk = greeted({ messages: [one], answers: { content: () => 'wait' } }, PIPE)
    talk.hear('250 ok', '250 ok', '354 go')
    talk.hear('552 5.3.4 too large')
    expect(talk.outcomes()).toEqual(['0: permanent content refused 552 5.3.4'])
    expect(talk.kinds().slice(-5)).toEqual(['outcome', 'abandoned', 'done', 'failed', 'closed'])
    expect(talk.ended()).toBe('failed content refused')
  })

  it('the next message goes behind the content, before it is known what became of that', () => {
    const talk = greeted({ messages: [one, messageTo(['d@example.org'])] }, PIPE)
    const said = talk.hear('250 ok', '250 ok', '354 go')
    expect(lines(said).slice(-4)).toEqual(['.', 'MAIL FROM:<a@client.example>', 'RCPT TO:<d@example.org>', 'DATA'])
    talk.cut()
    const told = talk.all('outcome').map(({ message, result, phase }) => `${message} ${result} ${phase}`)
    expect(told).toEqual(['1 unknown content', '3 temporary sender'])
  })

  it('over LMTP each recipient has a reply of its own', () => {
    const talk = greeted({ messages: [messageTo(['b@example.org', 'c@example.org', 'd@example.org'])], protocol: 'lmtp' }, PIPE)
    talk.hear('250 ok', '250 ok', '550 no', '250 ok', '354 go', '250 2.0.0 ok', '452 4.2.2 full')
    expect(talk.outcomes()).toEqual([
      '1: permanent recipient refused 550 5.0.0', '0: accepted content 250 2.0.0', '2: temporary content refused 452 4.2.2',
    ])
  })

  it('idle: the server closes, and the question is withdrawn', () => {
    for (const how of ['421', 'end', 'cut'] as const) {
      const talk = greeted({}, PIPE)
      if (how === '421') talk.hear('421 4.4.2 timeout')
      else talk[how]()
      expect(talk.kinds()).toEqual(['ready', 'abandoned', 'failed', 'closed'])
      expect(talk.last('failed').phase).toBe('idle')
    }
  })

  it('idle: QUIT after a while, NOOP before where that is wanted', () => {
    const talk = greeted({}, PIPE)
    expect(talk.wait(59_999)).toBe('')
    expect(talk.wait(1)).toBe('QUIT\r\n')
    talk.hear('221 bye')
    expect(talk.ended()).toBe('quit')
    const kept = greeted({ timeouts: { keepAlive: 20_000 } }, PIPE)
    expect(kept.wait(20_000)).toBe('NOOP\r\n')
    kept.hear('250 ok')
    expect(kept.wait(20_000)).toBe('NOOP\r\n')
    // Nothing goes behind NOOP before its reply is there.
    expect(kept.answer(kept.last('ready'), one)).toBe('')
    expect(lines(kept.hear('250 ok'))[0]).toBe('MAIL FROM:<a@client.example>')
  })

  it('nothing to send: QUIT, and no long wait for the answer', () => {
    const talk = greeted({ answers: { ready: () => undefined } }, PIPE)
    expect(lines(talk.said).at(-1)).toBe('QUIT')
    talk.wait(5000)
    expect([talk.ended(), talk.session.closed]).toEqual(['quit', true])
  })

  it('drained: at once where it is idle, else behind the message', () => {
    const idle = greeted({}, PIPE)
    idle.session.drain(0)
    expect(idle.pump()).toBe('QUIT\r\n')
    expect(idle.kinds()).toEqual(['ready', 'abandoned'])
    const busy = greeted({ messages: [one, one] }, PIPE)
    busy.session.drain(0)
    busy.hear('250 ok', '250 ok', '354 go')
    expect(busy.hear('250 ok')).toBe('QUIT\r\n')
    expect(busy.outcomes()).toEqual(['0: accepted content 250 2.0.0'])
  })

  it.each<[string, number, (talk: ClientTalk) => void, string]>([
    ['the greeting', 300_000, () => {}, 'failed connect timeout'],
    ['EHLO', 300_000, (talk) => talk.hear('220 hi'), 'failed hello timeout'],
    ['MAIL', 300_000, (talk) => talk.hear('220 hi', ...ehlo()), 'failed sender timeout'],
    ['RCPT', 300_000, (talk) => talk.hear('220 hi', ...ehlo(), '250 ok'), 'failed recipient timeout'],
    ['DATA', 120_000, (talk) => talk.hear('220 hi', ...ehlo(), '250 ok', '250 ok'), 'failed data timeout'],
    ['the content', 600_000, (talk) => talk.hear('220 hi', ...ehlo(), '250 ok', '250 ok', '354 go'), 'failed content timeout'],
  ])('patience with a server that is silent: %s', (_, patience, begin, ended) => {
    const talk = fresh({ messages: [one] })
    begin(talk)
    expect(talk.session.deadline).toBe(patience)
    talk.wait(patience - 1)
    expect(talk.ended()).toBeUndefined()
    talk.wait(1)
    expect(talk.ended()).toBe(ended)
  })

  it('an octet now and then buys no time', () => {
    const talk = fresh()
    for (let at = 0; at < 299; at++) {
      talk.wait(1000)
      talk.send(at === 0 ? '220-' : '2')
    }
    talk.wait(1000)
    expect(talk.session.closed).toBe(true)
  })
})

describe('chunks', () => {
  const binary = messageTo(['b@example.org'], { content: { encoding: 'binary' } })
  const offers = ['CHUNKING', 'BINARYMIME', '8BITMIME']

  it('go when somebody is there to have them', () => {
    const talk = greeted({ messages: [binary], content: ['a\nb'] }, PIPE, ...offers)
    expect(lines(talk.said).slice(1)).toEqual(['MAIL FROM:<a@client.example> BODY=BINARYMIME', 'RCPT TO:<b@example.org>'])
    expect(talk.hear('250 ok', '250 ok')).toBe('BDAT 3 LAST\r\na\nb')
    talk.hear('250 taken')
    expect(talk.outcomes()).toEqual(['0: accepted content 250 2.0.0'])
  })

  it('RSET where one is refused, and no more of them', () => {
    const talk = greeted({ messages: [binary, binary], content: ['0123456789abcdef'], limits: { chunkOctets: 5 } }, ...offers)
    talk.hear('250 ok')
    expect(talk.hear('250 ok')).toBe('BDAT 5\r\n01234')
    expect(talk.hear('250 ok')).toBe('BDAT 5\r\n56789')
    expect(talk.hear('452 4.3.1 no room')).toBe('RSET\r\n')
    expect(talk.outcomes()).toEqual(['0: temporary content refused 452 4.3.1'])
    expect(talk.hear('250 ok')).toBe('MAIL FROM:<a@client.example> BODY=BINARYMIME\r\n')
  })
})
