import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { bodyHash, RelaxedBody } from '../../../src/adapters/mailauth/body-hash.ts'
import { dkim, type DkimEvent } from '../../../src/adapters/mailauth/index.ts'
import { isRecent, loadMailauth } from '../../../src/adapters/mailauth/package.ts'
import { bodyOf, outgoing } from './messages.ts'
import { keyOf, type TestKey, testKey, type Verdict, verdictsOn } from './verifying.ts'

const rsa = testKey('rsa')
const ed = testKey('ed25519')
const published = (domain: string): Map<string, string> =>
  new Map([[`r._domainkey.${domain}`, rsa.record], [`e._domainkey.${domain}`, ed.record]])
const keys = (domain: string) => [
  { domain, selector: 'r', key: rsa.pem },
  { domain, selector: 'e', key: ed.pem },
]

const MESSAGE = 'From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: Hello\r\n\r\nHow are you?\r\n'

const resultsOf = (verdicts: readonly Verdict[]): string[] => verdicts.map(({ algo, status }) => `${algo} ${status.result}`)

async function signed(text: string | Uint8Array, piece?: number): Promise<Buffer> {
  const { sign } = await dkim({ keys: keys('example.org'), now: () => 1_800_000_000_000 })
  const message = outgoing(text, piece)
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  return Buffer.concat([Buffer.from(await sign(message), 'latin1'), bytes])
}

const verified = (message: Uint8Array): Promise<readonly Verdict[]> => verdictsOn(message, published('example.org'))

describe('a DKIM signature', () => {
  it('is made with every key of the domain, and verifies', async () => {
    const message = await signed(MESSAGE)
    expect(resultsOf(await verified(message))).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
    const unfolded = message.toString('latin1').replace(/\r\n /g, ' ')
    expect(unfolded).toMatch(/^DKIM-Signature: v=1; a=rsa-sha256; c=relaxed\/relaxed; d=example\.org; h=/)
    expect(unfolded).not.toMatch(/^DKIM-Signature:.*[; ][lx]=/m)
    expect(message.toString('latin1').split('\r\n').every((line) => line.length <= 78)).toBe(true)
  })

  it('covers fields once more than there are', async () => {
    const [first = ''] = (await signed(MESSAGE)).toString('latin1').replace(/\r\n /g, ' ').split('\r\n')
    const [, names = ''] = /h=([^;]*)/.exec(first) ?? []
    expect(names.toLowerCase().split(/: ?/)).toEqual([
      'subject', 'to', 'from', 'from', 'reply-to', 'to', 'cc', 'subject', 'date', 'message-id', 'in-reply-to', 'references',
      'mime-version', 'content-type', 'content-transfer-encoding',
    ])
  })

  it.each(['From: mallory@example.org', 'Subject: Send money', 'Cc: x@example.net', 'Content-Type: text/html'])(
    'breaks when somebody adds %s', async (field) => {
      const message = await signed(MESSAGE)
      const other = Buffer.concat([Buffer.from(`${field}\r\n`), message])
      expect(resultsOf(await verified(other)).every((each) => each.endsWith(' pass'))).toBe(false)
      const below = Buffer.from(message.toString('latin1').replace('\r\n\r\n', `\r\n${field}\r\n\r\n`), 'latin1')
      expect(resultsOf(await verified(below)).every((each) => each.endsWith(' pass'))).toBe(false)
    },
  )

  it('stands trace fields on top of it, and blanks that come and go', async () => {
    const message = (await signed(MESSAGE)).toString('latin1')
    const blanks = message.replace('Subject: Hello', 'Subject:  Hello ')
    const other = `Received: from a by b; 1 Jan 2027 00:00:00 +0000\r\n${blanks}\r\n`
    expect(resultsOf(await verified(Buffer.from(other, 'latin1')))).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
  })

  it('verifies for any message, however its body is read', async () => {
    const word = fc.stringMatching(/^[ -~]{0,30}$/)
    const bodies = fc.array(fc.oneof(
      word, fc.constantFrom('', ' ', '\t', '\r\n', '\r\n\r\n', ' \r\n', '.', '\xe4\xf6', 'x\t \ty'),
    ), { maxLength: 20 }).map((pieces) => pieces.join(''))
    const names = fc.constantFrom('Subject', 'To', 'cc', 'X-Other', 'SUBJECT', 'List-Unsubscribe', 'Date', 'Received')
    const fields = fc.array(fc.tuple(names, word, fc.constantFrom('', '\r\n ', '\r\n\t')), { maxLength: 8 })
    await fc.assert(fc.asyncProperty(fields, bodies, fc.integer({ min: 1, max: 50 }), async (extra, body, piece) => {
      const lines = extra.map(([name, value, fold]) => `${name}: a${fold}${value.replaceAll(':', '')}b\r\n`).join('')
      const text = Buffer.from(`${lines}from : alice@example.org\r\n${lines}\r\n${body}`, 'latin1')
      expect(resultsOf(await verified(await signed(text, piece)))).toEqual(['rsa-sha256 pass', 'ed25519-sha256 pass'])
    }), { numRuns: 60 })
  })

  it('has an end where one is asked for', async () => {
    const { sign } = await dkim({ keys: keys('example.org'), expires: 604_800_000, now: () => 1_800_000_000_000 })
    expect(await sign(outgoing(MESSAGE))).toMatch(/t=1800000000;\s+x=1800604800;/)
  })
})

describe('a message', () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['without From', 'Subject: x\r\n\r\ny', 'no-from'],
    ['with two of them', `From: a@example.org\r\n${MESSAGE}`, 'no-from'],
    ['with a From that names nobody', 'From: nobody\r\n\r\n', 'no-from'],
    ['with authors of several domains', 'From: a@example.org, b@example.net\r\n\r\n', 'several-domains'],
    ['with several authors of one domain', 'From: a@example.org, b@EXAMPLE.org\r\n\r\n', undefined],
    ['of a domain without keys', 'From: a@example.net\r\n\r\n', 'no-key'],
    ['of a domain below', 'From: a@sub.example.org\r\n\r\n', 'no-key'],
    ['with a CR alone in its header', 'From: a@example.org\r\nSubject: a\rb\r\n\r\n', 'unsound-header'],
    ['with a line that is no field', 'From: a@example.org\r\nnonsense\r\n\r\n', 'unsound-header'],
    ['with a header of more than a megabyte', `From: a@example.org\r\nX: ${'y'.repeat(1_100_000)}\r\n\r\n`, 'header-too-large'],
    ['with a thousand subjects', `From: a@example.org\r\n${'Subject: y\r\n'.repeat(1000)}\r\n`, 'header-too-large'],
  ]
  it.each(cases)('%s', async (_, text, reason) => {
    const events: DkimEvent[] = []
    const { sign } = await dkim({ keys: keys('example.org'), onEvent: (event) => events.push(event) })
    expect((await sign(outgoing(text))) === '').toBe(reason !== undefined)
    expect(events).toEqual(reason === undefined ? [] : [{ kind: 'unsigned', reason, messageId: undefined }])
  })

  it('of a domain below is signed by the nearest one above that does so', async () => {
    const settings = [
      { domain: 'org', selector: 'x', key: ed.pem, subdomains: true },
      { domain: 'Example.org', selector: 'r', key: rsa.pem, subdomains: true },
      { domain: 'own.example.org', selector: 'e', key: ed.pem },
    ]
    const { sign } = await dkim({ keys: settings })
    const domainOf = async (author: string) => /d=([^;]*)/.exec(await sign(outgoing(`From: a@${author}\r\n\r\n`)))?.[1]
    expect(await domainOf('a.b.example.org')).toBe('example.org')
    expect(await domainOf('own.example.org')).toBe('own.example.org')
    expect(await domainOf('below.own.example.org')).toBe('example.org')
  })
})

describe('RFC 8463, appendix A', () => {
  const secret = Buffer.from('nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=', 'base64')
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret])
  const key: TestKey = keyOf(`-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----`, 'ed25519')
  const TEXT = [
    'From: Joe SixPack <joe@football.example.com>',
    'To: Suzie Q <suzie@shopping.example.net>',
    'Subject: Is dinner ready?',
    'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
    'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
    '', 'Hi.', '', 'We lost the game.  Are you hungry yet?', '', 'Joe.', '',
  ].join('\r\n')
  const dns = new Map([['brisbane._domainkey.football.example.com', key.record]])

  it('gives the public key and the hash of the body', async () => {
    expect(key.record).toBe('v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=')
    const message = Buffer.from(TEXT)
    const hash = await bodyHash(bodyOf(message), TEXT.indexOf('Hi.'))
    expect(hash).toBe('2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=')
  })

  it('verifies, and so does what we make of its message', async () => {
    const theirs = [
      'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;',
      ' d=football.example.com; i=@football.example.com;',
      ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :',
      ' subject : date : message-id : from : subject : date;',
      ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
      ' b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus',
      ' Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==', TEXT,
    ].join('\r\n')
    expect(resultsOf(await verdictsOn(Buffer.from(theirs), dns))).toEqual(['ed25519-sha256 pass'])
    const { sign } = await dkim({ keys: [{ domain: 'football.example.com', selector: 'brisbane', key: key.pem }] })
    const ours = (await sign(outgoing(TEXT))) + TEXT
    expect(resultsOf(await verdictsOn(Buffer.from(ours), dns))).toEqual(['ed25519-sha256 pass'])
  })
})

describe('the octets that are hashed', () => {
  const relaxed = (text: string, piece: number): string => {
    let out = ''
    const body = new RelaxedBody((bytes) => (out += Buffer.from(bytes).toString('latin1')))
    for (let at = 0; at < text.length; at += piece) body.push(Buffer.from(text.slice(at, at + piece), 'latin1'))
    body.end()
    return out
  }

  it.each([
    ['', ''],
    ['\r\n\r\n', ''],
    [' \r\n\t\r\n', ''],
    ['a', 'a\r\n'],
    ['a \t b  \r\n\r\n', 'a b\r\n'],
    [' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
    ['a\nb\rc\r\r\nd', 'a\r\nb\r\nc\r\n\r\nd\r\n'],
    ['\r\n\r\nx', '\r\n\r\nx\r\n'],
  ])('%j', (text, expected) => {
    for (const piece of [1, 2, 3, 100]) expect(relaxed(text, piece)).toBe(expected)
  })

  it('are those that the package hashes', () => {
    const { RelaxedHash } = createRequire(import.meta.url)('mailauth/lib/dkim/body/relaxed.js') as {
      readonly RelaxedHash: new (algorithm: string) => { update(bytes: Buffer): void; digest(encoding: 'hex'): string }
    }
    const texts = fc.array(fc.constantFrom('\r\n', '\n', ' ', '\t', 'a', 'bc', '\xff', '  '), { maxLength: 40 })
    fc.assert(fc.property(texts, fc.integer({ min: 1, max: 9 }), (parts, piece) => {
      const text = parts.join('')
      const theirs = new RelaxedHash('sha256')
      theirs.update(Buffer.from(text, 'latin1'))
      expect(createHash('sha256').update(relaxed(text, piece), 'latin1').digest('hex')).toBe(theirs.digest('hex'))
    }), { numRuns: 500 })
  })

  it('come in pieces, with turns for others between them', async () => {
    let turns = 0
    let isOver = false
    const count = (): void => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    await bodyHash(bodyOf(Buffer.alloc(4 * 1024 * 1024, 'x')), 0)
    isOver = true
    expect(turns).toBeGreaterThan(3)
  })
})

describe('keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-dkim-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('are read again when their files change, and stay as they are where the new ones are no good', async () => {
    const path = join(folder, 'a.pem')
    writeFileSync(path, rsa.pem)
    const events: string[] = []
    let now = 0
    const { sign } = await dkim({
      keys: [{ domain: 'example.org', selector: 'a', key: path }], now: () => now, onEvent: ({ kind }) => events.push(kind),
    })
    const algorithm = async () => /a=([^;]*)/.exec(await sign(outgoing(MESSAGE)))?.[1]
    expect(await algorithm()).toBe('rsa-sha256')
    writeFileSync(path, 'half a ke')
    expect(await algorithm()).toBe('rsa-sha256')
    expect(events).toEqual([])
    now = 10_000
    expect(await Promise.all([algorithm(), algorithm()])).toEqual(['rsa-sha256', 'rsa-sha256'])
    now = 20_000
    await algorithm()
    expect(events).toEqual(['refused'])
    writeFileSync(path, ed.pem)
    now = 30_000
    expect(await algorithm()).toBe('ed25519-sha256')
    expect(events).toEqual(['refused', 'reloaded'])
  })

  it('can be others from one moment to the next', async () => {
    const { sign, reload } = await dkim({ keys: [] })
    expect(await sign(outgoing(MESSAGE))).toBe('')
    await reload(keys('example.org'))
    expect(await sign(outgoing(MESSAGE))).toContain('d=example.org')
    await expect(reload([{ domain: 'example.org', selector: 'a', key: '/nowhere' }])).rejects.toMatchObject({ code: 'config' })
    expect(await sign(outgoing(MESSAGE))).toContain('d=example.org')
  })

  it.each([
    [{ selector: 'a b' }, 'dkim.keys[0]: selector is "a b", which is no name in the DNS.'],
    [{ domain: 'x;y' }, 'dkim.keys[0]: domain is "x;y", which is no name in the DNS.'],
    [{ key: 'not/there.pem' }, 'not/there.pem cannot be read: '],
    [{ key: '-----BEGIN x' }, 'the key of a._domainkey.example.org holds no private key that can be read'],
    [{ algorithm: 'ed25519-sha256' as const }, 'the key of a._domainkey.example.org is an rsa key; ed25519-sha256 is asked for'],
  ])('are refused: %j', async (change, message) => {
    const made = dkim({ keys: [{ domain: 'example.org', selector: 'a', key: rsa.pem, ...change }] })
    await expect(made).rejects.toMatchObject({ code: 'config', message: expect.stringContaining(message) })
  })

  it('need mailauth, and say how to get it', () => {
    const place = pathToFileURL(join(folder, 'app.js')).href
    expect(() => loadMailauth([place])).toThrow(expect.objectContaining({
      code: 'unavailable', message: 'DKIM needs mailauth, which is not installed: npm install mailauth',
    }))
    mkdirSync(join(folder, 'node_modules/mailauth'), { recursive: true })
    writeFileSync(join(folder, 'node_modules/mailauth/package.json'), '{"version":"4.13.3"}')
    expect(() => loadMailauth([place])).toThrow(expect.objectContaining({
      code: 'config', message: expect.stringMatching(/^mailauth 4\.13\.3 is installed, .*npm install mailauth@\^7\.1$/),
    }))
  })

  it('need mailauth 7.1 or a later 7', () => {
    expect(['7.1.0', '7.12.3', '7.1.0-rc.1'].every(isRecent)).toBe(true)
    expect(['4.13.3', '7.0.9', '8.0.0', '', 'x'].some(isRecent)).toBe(false)
  })
})
