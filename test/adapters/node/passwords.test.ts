import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { passwords, type PasswordsOptions } from '../../../src/adapters/node/index.ts'
import { BcryptThreads } from '../../../src/adapters/node/passwords-bcrypt-threads.ts'
import { parsePhc } from '../../../src/adapters/node/passwords-scheme.ts'

/** Each scheme with parameters that cost nothing. */
const cheap = {
  scrypt: { scheme: 'scrypt', ln: 4, r: 8, p: 1 },
  argon2id: { scheme: 'argon2id', memory: 64, passes: 1 },
  bcrypt: { scheme: 'bcrypt', cost: 4 },
} as const satisfies Record<string, PasswordsOptions>

const schemes = Object.keys(cheap) as (keyof typeof cheap)[]

/** Made by other programs. */
const known: readonly (readonly [hash: string, password: string])[] = [
  // RFC 7914 §12
  [
    '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU' +
      '$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw',
    'pleaseletmein',
  ],
  // passlib
  ['$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E', 'password'],
  // The reference implementation of argon2
  ['$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc', 'password'],
  ['$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA', 'password'],
  ['$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ', 'password'],
  // crypt_blowfish
  ['$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  ['$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  ['$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  // The last bits of the salt are not zero; and 72 octets are all that is looked at
  ['$2a$05$CCCCCCCCCCCCCCCCCCCCC/E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  [
    '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui',
    '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72',
  ],
]

describe.each(schemes)('passwords with %s', (scheme) => {
  const kept = passwords(cheap[scheme])

  it('finds the password of a hash, and no other', async () => {
    for (const password of ['correct horse', '', ' ', 'Grüße', '\u{1f4ec}'.repeat(10)]) {
      const hash = await kept.hash(password)
      expect(await kept.verify(password, hash)).toBe(true)
      expect(await kept.verify(`${password}x`, hash)).toBe(false)
      expect(await kept.verify(password.normalize('NFD').toUpperCase() + '!', hash)).toBe(false)
      expect(await kept.hash(password)).not.toBe(hash)
    }
  })

  it('is verified whatever new hashes are made with', async () => {
    const hash = await kept.hash('secret')
    for (const other of schemes) expect(await passwords(cheap[other]).verify('secret', hash)).toBe(true)
  })

  it('calls weaker parameters outdated, equal and stronger ones not', async () => {
    const hash = await kept.hash('secret')
    const stronger = { scrypt: { ln: 5 }, argon2id: { passes: 2 }, bcrypt: { cost: 5 } }[scheme]
    const raised = passwords({ ...cheap[scheme], ...stronger } as PasswordsOptions)
    expect([kept.outdated(hash), raised.outdated(hash), kept.outdated(await raised.hash('secret'))]).toEqual([false, true, false])
  })

  it('pretends', async () => {
    expect(await kept.pretend('secret')).toBe(false)
  })
})

it.each(known)('verifies %s', async (hash, password) => {
  const kept = passwords()
  expect(await kept.verify(password, hash)).toBe(true)
  expect(await kept.verify(password.slice(1), hash)).toBe(false)
})

it('writes what other programs read', async () => {
  const made = await Promise.all(schemes.map((scheme) => passwords(cheap[scheme]).hash('x')))
  expect(made).toEqual([
    expect.stringMatching(/^\$scrypt\$ln=4,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/),
    expect.stringMatching(/^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/),
    expect.stringMatching(/^\$2b\$04\$[./A-Za-z0-9]{53}$/),
  ])
})

it('has the parameters that OWASP asks for', async () => {
  expect(await passwords().hash('x')).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/)
  expect(await passwords({ scheme: 'argon2id' }).hash('x')).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
  expect(await passwords({ scheme: 'bcrypt' }).hash('x')).toMatch(/^\$2b\$12\$/)
})

it('calls hashes of schemes that are easier to attack outdated, and what it cannot read', async () => {
  const [scrypt, argon2id, bcrypt] = [passwords(), passwords({ scheme: 'argon2id' }), passwords({ scheme: 'bcrypt' })]
  const strong = {
    argon2id: '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    scrypt: '$scrypt$ln=17,r=8,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    bcrypt: '$2a$12$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  }
  const verdicts = [argon2id, scrypt, bcrypt].map((one) => Object.values(strong).map((hash) => one.outdated(hash)))
  expect(verdicts).toEqual([[false, true, true], [false, false, true], [false, false, false]])
  const weak = [
    strong.argon2id.replace('m=19456', 'm=4096'),
    strong.argon2id.replace('argon2id', 'argon2i'),
    strong.argon2id.replace('v=19', 'v=16'),
    strong.scrypt.replace('ln=17', 'ln=14'),
    strong.bcrypt.replace('$12$', '$10$'),
    '{PLAIN}secret',
    '',
  ]
  expect(weak.map((hash) => bcrypt.outdated(hash))).toEqual(weak.map(() => true))
})

describe('hashes that are none', () => {
  const kept = passwords(cheap.scrypt)
  const salt = randomBytes(16).toString('base64').replaceAll('=', '')
  const key = randomBytes(32).toString('base64').replaceAll('=', '')
  const body = `${salt}$${key}`

  it.each([
    '', '$', '$$$$$', '{PLAIN}secret', '{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=', 'secret', '$1$salt$abc', '$6$salt$abc',
    'x'.repeat(100_000),
    // An empty key is every password's
    `$scrypt$ln=4,r=8,p=1$${salt}$`, `$scrypt$ln=4,r=8,p=1$${salt}$AA`, `$scrypt$ln=4,r=8,p=1$$${key}`,
    `$scrypt$ln=4,r=8$${body}`, `$scrypt$ln=4,r=8,p=1,q=1$${body}`, `$scrypt$ln=4,r=8,p=1,p=1$${body}`,
    `$scrypt$ln=04,r=8,p=1$${body}`, `$scrypt$ln=-4,r=8,p=1$${body}`, `$scrypt$ln=4,r=8,p=0$${body}`,
    `$scrypt$ln=4e0,r=8,p=1$${body}`, `$scrypt$$${body}`,
    `$scrypt$v=1$ln=4,r=8,p=1$${body}`, `$scrypt$ln=4,r=8,p=1$${salt}=$${key}`, `$scrypt$ln=4,r=8,p=1$${salt}$${key}$`,
    // What would take gigabytes or hours
    `$scrypt$ln=30,r=8,p=1$${body}`, `$scrypt$ln=63,r=8,p=1$${body}`, `$scrypt$ln=4,r=999999999,p=1$${body}`,
    `$scrypt$ln=10,r=8,p=999999999$${body}`, `$scrypt$ln=19,r=8,p=1$${body}`,
    `$argon2id$v=19$m=4294967295,t=1,p=1$${body}`, `$argon2id$v=19$m=999999999,t=1,p=1$${body}`,
    `$argon2id$v=19$m=64,t=999999999,p=1$${body}`, `$argon2id$v=19$m=262144,t=100,p=1$${body}`,
    `$argon2id$v=19$m=4096,t=1,p=255$${body}`, `$argon2id$v=20$m=64,t=1,p=1$${body}`,
    `$argon2x$v=19$m=64,t=1,p=1$${body}`, `$argon2id$v=19$m=64,t=1,p=1,keyid=1$${body}`,
    `$2b$31$${'a'.repeat(53)}`, `$2b$17$${'a'.repeat(53)}`, `$2b$03$${'a'.repeat(53)}`, `$2b$4$${'a'.repeat(54)}`,
    `$2x$04$${'a'.repeat(53)}`, `$2$04$${'a'.repeat(53)}`, `$2b$04$${'a'.repeat(52)}`,
    `$2b$04$${'a'.repeat(54)}`, `$2b$04$${'a'.repeat(52)}\n`,
  ])('%#: nobody has them, and nothing is spent on them', async (hash) => {
    expect(await kept.verify('secret', hash)).toBe(false)
    expect(await kept.verify('', hash)).toBe(false)
    expect(kept.outdated(hash)).toBe(true)
  })

  it('never throws', async () => {
    const words = ['$', 'scrypt', 'argon2id', '2b', 'v=19', 'm=64,t=1,p=1', 'ln=4,r=8,p=1', salt, key, ',', '=', '04', 'ln=1']
    const piece = fc.constantFrom(...words)
    const text = fc.oneof(fc.string(), fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')))
    await fc.assert(fc.asyncProperty(text, async (hash) => {
      expect(await kept.verify('secret', hash)).toBe(false)
    }), { numRuns: 300 })
  })

  it('reads what it writes', () => {
    const octets = fc.uint8Array({ minLength: 16, maxLength: 64 }).map((bytes) => Buffer.from(bytes))
    const number = fc.nat(999_999_999)
    fc.assert(fc.property(octets, octets, number, number, (one, other, a, b) => {
      const text = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')
      const found = parsePhc(`$id$v=${a}$a=${a},b=${b}$${text(one)}$${text(other)}`)
      expect(found).toEqual({ id: 'id', version: a, parameters: new Map([['a', a], ['b', b]]), salt: one, key: other })
    }))
  })
})

describe('bcrypt', () => {
  it('keeps no password of which it would see a part', async () => {
    const kept = passwords(cheap.bcrypt)
    const [most, over] = ['é'.repeat(36), `${'é'.repeat(36)}x`]
    expect(await kept.verify(most, await kept.hash(most))).toBe(true)
    await expect(kept.hash(over)).rejects.toMatchObject({ code: 'permanent' })
    await expect(kept.hash('a\0b')).rejects.toMatchObject({ code: 'permanent' })
  })

  it('lets the event loop turn while it works', async () => {
    const kept = passwords({ scheme: 'bcrypt', cost: 10 })
    let turns = 0
    let working = true
    const turn = (): void => {
      turns++
      if (working) setImmediate(turn)
    }
    turn()
    await Promise.all([kept.pretend('a'), kept.pretend('b')])
    working = false
    // In this thread it would be a handful: the library has its own turns of 100 ms.
    expect(turns).toBeGreaterThan(100)
  })

  it('goes on in another thread when one has failed', async () => {
    const threads = new BcryptThreads()
    await expect(threads.hash('secret', '$9z$no settings')).rejects.toMatchObject({ code: 'temporary' })
    const settings = '$2a$05$CCCCCCCCCCCCCCCCCCCCC.'
    expect(await threads.hash('U*U', settings)).toBe(`${settings}E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW`)
  })

  it('names the command that installs bcryptjs where it is missing', async () => {
    await expect(new BcryptThreads('bcryptjs-missing').hash('a', '')).rejects.toMatchObject({
      code: 'unavailable',
      message: 'passwords() needs bcryptjs-missing for bcrypt, which is not installed: npm install bcryptjs-missing',
    })
  })
})

describe('settings', () => {
  it.each<[object, RegExp]>([
    [{ scheme: 'md5' }, /scheme is "md5"; it takes 'scrypt' or 'argon2id' or 'bcrypt'/],
    [{ scheme: 'toString' }, /scheme is "toString"/],
    [{ scheme: 'argon2id', ln: 15 }, /no option "ln"/],
    [{ cost: 12 }, /no option "cost"/],
    [{ ln: '15' }, /ln is "15"; it takes a whole number/],
    [{ ln: 24 }, /scrypt has no such parameters, or they ask for over 256 MiB/],
    [{ scheme: 'bcrypt', cost: 3 }, /bcrypt has no such parameters/],
    [{ scheme: 'bcrypt', cost: 100 }, /bcrypt has no such parameters/],
    [{ scheme: 'argon2id', memory: 4 }, /argon2id has no such parameters/],
    [{ atOnce: 0 }, /atOnce is 0/],
  ])('%j are none', (options, message) => {
    expect(() => passwords(options as PasswordsOptions)).toThrow(message)
    expect(() => passwords(options as PasswordsOptions)).toThrow(expect.objectContaining({ code: 'config' }))
  })

  it('take undefined for nothing', async () => {
    const options = { ...cheap.scrypt, p: undefined, atOnce: undefined } as unknown as PasswordsOptions
    expect(await passwords(options).hash('x')).toMatch(/^\$scrypt\$ln=4,r=8,p=3\$/)
    expect(() => passwords(null as never)).toThrow('takes an object of options')
  })
})
