import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { describeSettings, readSettings, type ServeSettings } from '../../src/cli/settings.ts'
import { version } from '../../src/cli/version.ts'

const alice = { local: 'alice', domain: 'example.test', password: 'wonderland' }

describe('settings', () => {
  it('that nobody gives', () => {
    expect(readSettings({ PATH: '/bin', HOME: '/' })).toEqual({
      reference: {
        hostname: 'localhost',
        bind: '127.0.0.1',
        data: './data',
        domains: ['example.test'],
        users: [alice],
        ports: { mx: 2525, submission: 2587, smtps: 2465, lmtp: null, imap: 2143, imaps: 2993 },
        tls: undefined,
        tlsClientCa: undefined,
        plaintextAuth: false,
        dkim: true,
        proxyFrom: [],
        smarthost: undefined,
        dns: undefined,
        retry: [5, 15, 30, 60, 120, 240, 480, 960, 1440].map((minutes) => minutes * 60_000),
        maxSize: 52_428_800,
        quota: 1_073_741_824,
        checks: [{ kind: 'spf' }, { kind: 'dkim' }, { kind: 'dmarc' }],
        isExplicit: false,
        explain: false,
        maxConnections: { smtp: 100, imap: 200 },
      },
      log: 'info',
    } satisfies ServeSettings)
  })

  const reference = (key: keyof ServeSettings['reference'], value: unknown) => ({ reference: { [key]: value } })
  const smarthost = (host: string, port: number, more: object = {}) => {
    return reference('smarthost', { host, port, implicitTls: false, login: undefined, ...more })
  }
  const good: readonly [name: string, text: string, expected: object][] = [
    ['HOSTNAME', 'Mail.Example.ORG', reference('hostname', 'mail.example.org')],
    ['BIND', '::1', reference('bind', '::1')],
    ['BIND', '0.0.0.0', reference('bind', '0.0.0.0')],
    ['DATA', '/var/mail', reference('data', '/var/mail')],
    ['DOMAINS', 'a.test, B.test,', reference('domains', ['a.test', 'b.test'])],
    ['DOMAINS', 'CAF\u00c9.test,xn--caf-dma.test', reference('domains', ['xn--caf-dma.test', 'xn--caf-dma.test'])],
    ['HOSTNAME', 'mx.caf\u00e9.test', reference('hostname', 'mx.xn--caf-dma.test')],
    ['DOMAINS', 'a.test', reference('users', [{ ...alice, domain: 'a.test' }])],
    ['USERS', 'Bob@example.test:a:b@c', reference('users', [{ local: 'Bob', domain: 'example.test', password: 'a:b@c' }])],
    ['USERS', 'a@example.test:1,b@EXAMPLE.test:2', reference('users', [
      { local: 'a', domain: 'example.test', password: '1' },
      { local: 'b', domain: 'example.test', password: '2' },
    ])],
    ['MX_PORT', 'auto', reference('ports', { mx: 0 })],
    ['MX_PORT', '65535', reference('ports', { mx: 65_535 })],
    ['LMTP_PORT', '24', reference('ports', { mx: 2525, lmtp: 24 })],
    ['LMTP_PORT', '0', reference('ports', { mx: 2525, lmtp: null })],
    ['PROXY_FROM', '10.0.0.0/8,2001:db8::7', reference('proxyFrom', ['10.0.0.0/8', '2001:db8::7'])],
    ['MAX_SIZE', '1000', reference('maxSize', 1000)],
    ['MAX_SIZE', '2 MB', reference('maxSize', 2_000_000)],
    ['MAX_SIZE', '64KiB', reference('maxSize', 65_536)],
    ['MAX_SIZE', '1gib', reference('maxSize', 2 ** 30)],
    ['MAX_CONNECTIONS', 'smtp:7', reference('maxConnections', { smtp: 7 })],
    ['MAX_CONNECTIONS', 'imap:7,smtp:8', reference('maxConnections', { smtp: 8, imap: 7 })],
    ['MAX_CONNECTIONS', 'imap:7', reference('maxConnections', { imap: 7 })],
    ['LOG', 'debug', { log: 'debug' }],
    ['DNS', '127.0.0.1:5353', reference('dns', '127.0.0.1:5353')],
    ['DNS', '[::1]:53', reference('dns', '[::1]:53')],
    ['DNS', 'localhost:53', reference('dns', '127.0.0.1:53')],
    ['RETRY', '1s,5m,1h,2d', reference('retry', [1_000, 300_000, 3_600_000, 172_800_000])],
    ['SMARTHOST', 'smtp://relay.test', smarthost('relay.test', 587)],
    ['SMARTHOST', 'smtp://127.0.0.1:2525', smarthost('127.0.0.1', 2525)],
    ['SMARTHOST', 'smtps://[::1]', smarthost('::1', 465, { implicitTls: true })],
    ['SMARTHOST', 'smtp://a%40b.test:p%3aw@relay.test:25', smarthost('relay.test', 25, {
      login: { username: 'a@b.test', password: 'p:w' },
    })],
    ['SMARTHOST', 'smtp://a@b.test:p@w@relay.test', smarthost('relay.test', 587, {
      login: { username: 'a@b.test', password: 'p@w' },
    })],
    ['SMARTHOST', '', reference('smarthost', undefined)],
    ['PLAINTEXT_AUTH', '1', reference('plaintextAuth', true)],
    ['PLAINTEXT_AUTH', '0', reference('plaintextAuth', false)],
    ['DKIM', '0', reference('dkim', false)],
    ['SUBMISSION_PORT', '587', reference('ports', { submission: 587 })],
    ['SUBMISSION_PORT', '0', reference('ports', { submission: null })],
    ['SMTPS_PORT', 'auto', reference('ports', { smtps: 0 })],
    ['IMAP_PORT', '0', reference('ports', { imap: null })],
    ['IMAPS_PORT', '993', reference('ports', { imaps: 993 })],
    ['TLS_CLIENT_CA', 'ca.pem', reference('tlsClientCa', 'ca.pem')],
    ['QUOTA', '2GiB', reference('quota', 2 ** 31)],
    ['HTTP_PORT', '0', { log: 'info' }],
    ['CHECKS', '', { reference: { checks: [], isExplicit: true } }],
    ['CHECKS', ' ', reference('checks', [])],
    ['CHECKS', 'spf', { reference: { checks: [{ kind: 'spf' }], isExplicit: true } }],
    ['CHECKS', 'dnsbl=Zen.Example, greylist=300', reference('checks', [
      { kind: 'dnsbl', zone: 'zen.example' }, { kind: 'greylist', wait: 300_000 },
    ])],
    ['CHECKS', 'clamd=127.0.0.1:3310,spamd=[::1]:783,rspamd=http://127.0.0.1:11333', reference('checks', [
      { kind: 'clamd', host: '127.0.0.1', port: 3310 }, { kind: 'spamd', host: '::1', port: 783 },
      { kind: 'rspamd', url: 'http://127.0.0.1:11333' },
    ])],
    ['DNS', '127.0.0.1:53', { reference: { isExplicit: true } }],
    ['LOG', 'debug', { reference: { explain: true } }],
    ['QUOTA', ' ', reference('quota', 2 ** 30)],
    ['HOSTNAME', '', reference('hostname', 'localhost')],
  ]
  it.each(good)('POSTHORN_%s=%s', (name, text, expected) => {
    expect(readSettings({ [`POSTHORN_${name}`]: text })).toMatchObject(expected)
  })

  const aSmarthost = 'smtp://user:password@host:port, or smtps:// for TLS from the start'
  const aResolver = 'address:port of a resolver, such as 127.0.0.1:53'
  const port = 'It takes a port from 1 to 65535, auto for one that is free, 0 for off'
  const bad: readonly [name: string, text: string, says: string][] = [
    ['HOSTNAME', 'a b', '"a b" will not do. It takes a domain name, such as mail.example.org'],
    ['HOSTNAME', '[192.0.2.1]', '"[192.0.2.1]" will not do. It takes a domain name, such as mail.example.org'],
    ['BIND', 'localhost', '"localhost" will not do. It takes an address of this machine, such as 127.0.0.1 or ::'],
    ['BIND', '10.0.0.0/8', '"10.0.0.0/8" will not do. It takes an address of this machine, such as 127.0.0.1 or ::'],
    ['DATA', 'a\0b', '"a\\u0000b" will not do. It takes a folder'],
    ['DOMAINS', 'a.test,@', '"@" will not do. It takes domain names, comma-separated'],
    ['DOMAINS', ',', '"," will not do. It takes domain names, comma-separated'],
    ['USERS', 'alice', '"alice" will not do. It takes address:password, comma-separated'],
    ['USERS', 'alice@example.test:', '"alice@example.test:…" will not do. It takes address:password, comma-separated'],
    ['USERS', 'alice@example.test:se,cret', 'entry 2 will not do. It takes address:password, comma-separated'],
    ['USERS', 'alice@example.test:s,e:t', 'entry 2 will not do. It takes address:password, comma-separated'],
    ['USERS', 'alice:secret', '"alice:…" will not do. It takes address:password, comma-separated'],
    ['USERS', 'postmaster:secret', '"postmaster:…" will not do. It takes address:password, comma-separated'],
    ['USERS', 'bob@other.test:secret', 'bob@other.test is in none of the domains in POSTHORN_DOMAINS (example.test)'],
    ['MX_PORT', '65536', `"65536" will not do. ${port}`],
    ['MX_PORT', '-1', `"-1" will not do. ${port}`],
    ['MX_PORT', '25x', `"25x" will not do. ${port}`],
    ['LMTP_PORT', 'yes', `"yes" will not do. ${port}`],
    ['TLS_CERT', 'a.pem', 'is given, POSTHORN_TLS_KEY is not: it takes the path of a PEM file'],
    ['PLAINTEXT_AUTH', 'true', '"true" will not do. It takes 1 to let people of this machine log in without TLS, or 0'],
    ['PROXY_FROM', '10.0.0.0/40', '"10.0.0.0/40" will not do. It takes addresses and CIDRs, such as 10.0.0.0/8, comma-separated'],
    ['DNS', '127.0.0.1', `"127.0.0.1" will not do. It takes ${aResolver}`],
    ['DNS', 'dns.test:53', `"dns.test:53" will not do. It takes ${aResolver}`],
    ['RETRY', '5m,soon', '"soon" will not do. It takes times such as 5m or 4h, comma-separated'],
    ['QUOTA', 'none', '"none" will not do. It takes octets, such as 1073741824, 500MB or 2GiB'],
    ['SMTPS_PORT', 'yes', `"yes" will not do. ${port}`],
    ['MAX_SIZE', '0', '"0" will not do. It takes octets, such as 52428800, 50MiB or 1GB'],
    ['MAX_SIZE', '5 parsecs', '"5 parsecs" will not do. It takes octets, such as 52428800, 50MiB or 1GB'],
    ['MAX_CONNECTIONS', '100', '"100" will not do. It takes smtp:N, imap:N or both, comma-separated'],
    ['MAX_CONNECTIONS', 'smtp:0', '"smtp:0" will not do. It takes smtp:N, imap:N or both, comma-separated'],
    ['LOG', 'loud', '"loud" will not do. It takes one of trace, debug, info, warn, error'],
    ['IMAP_PORT', 'x', '"x" will not do. It takes a port from 1 to 65535, auto for one that is free, 0 for off'],
    ['HTTP_PORT', '2080', 'the admin API is not available in this version. Leave it out, or give 0'],
    ['SMARTHOST', 'relay.test:25', `"…relay.test:25" will not do. It takes ${aSmarthost}`],
    ['SMARTHOST', 'smtp://alice:secret@relay.test/x', `"smtp://…relay.test/x" will not do. It takes ${aSmarthost}`],
    ['SMARTHOST', 'smtp://alice:secret@relay.test:99999', `"smtp://…relay.test:99999" will not do. It takes ${aSmarthost}`],
    ['SMARTHOST', 'http://secret@relay.test', `"…relay.test" will not do. It takes ${aSmarthost}`],
    ['SMARTHOST', 'smtp://alice@relay.test', `"smtp://…relay.test" will not do. It takes ${aSmarthost}`],
    ['CHECKS', 'sfp', '"sfp" will not do. It takes spf, dkim, dmarc, dnsbl=ZONE'],
    ['CHECKS', 'spf=1', '"spf=1" will not do.'],
    ['CHECKS', 'dnsbl', '"dnsbl" will not do.'],
    ['CHECKS', 'greylist=5m', '"greylist=5m" will not do.'],
    ['CHECKS', 'clamd=127.0.0.1', '"clamd=127.0.0.1" will not do.'],
    ['CHECKS', 'rspamd=127.0.0.1:11333', '"rspamd=127.0.0.1:11333" will not do.'],
    ['MX_PROT', '25', 'there is no such setting. Did you mean POSTHORN_MX_PORT?'],
    ['LGO', 'info', 'there is no such setting. Did you mean POSTHORN_LOG?'],
    ['FOO', '1', 'there is no such setting. posthorn serve --help tells which there are'],
    ['NOTHING_LIKE_IT', '1', 'there is no such setting. posthorn serve --help tells which there are'],
  ]
  it.each(bad)('POSTHORN_%s=%s is refused', (name, text, says) => {
    const read = (): unknown => readSettings({ [`POSTHORN_${name}`]: text })
    expect(read).toThrow(`POSTHORN_${name}: ${says}`.replace(': is given', ' is given'))
    expect(read).toThrow(expect.objectContaining({ code: 'config' }) as Error)
    expect(read).not.toThrow(/secret/)
  })

  it('leave one listener on', () => {
    const off = Object.fromEntries(['MX', 'SUBMISSION', 'SMTPS', 'IMAP', 'IMAPS'].map((name) => [`POSTHORN_${name}_PORT`, '0']))
    expect(() => readSettings(off)).toThrow(`POSTHORN_MX_PORT: every listener is off. ${port}`)
    expect(readSettings({ ...off, POSTHORN_LMTP_PORT: '24' }).reference.ports.lmtp).toBe(24)
  })

  it('name both files of a certificate', () => {
    const { reference } = readSettings({ POSTHORN_TLS_CERT: 'a.crt', POSTHORN_TLS_KEY: 'a.key' })
    expect(reference.tls).toEqual({ cert: 'a.crt', key: 'a.key' })
  })

  it('are all told in the help', () => {
    const told = describeSettings()
    for (const [name] of [...good, ...bad].filter(([, , says]) => typeof says !== 'string' || says.includes('will not do'))) {
      if (name !== 'HTTP_PORT') expect(told).toContain(`POSTHORN_${name} `)
    }
  })
})

describe('a file of settings', () => {
  const environment = { POSTHORN_HOSTNAME: 'environment.test', POSTHORN_LOG: 'warn' }
  const file = (content: unknown): ServeSettings => readSettings(environment, { path: 'a.json', content })

  it.each<[string, unknown, object]>([
    ['wins over the environment', { hostname: 'file.test' }, { reference: { hostname: 'file.test' }, log: 'warn' }],
    ['may say nothing', { hostname: null, log: '' }, { reference: { hostname: 'environment.test' }, log: 'warn' }],
    ['takes numbers', { mxPort: 25, maxSize: 1000 }, { reference: { ports: { mx: 25 }, maxSize: 1000 } }],
    ['takes switches', { plaintextAuth: true }, { reference: { plaintextAuth: true } }],
    ['takes lists', { domains: ['a.test', 'b.test'] }, { reference: { domains: ['a.test', 'b.test'] } }],
    ['takes lists as one text', { domains: 'a.test,b.test' }, { reference: { domains: ['a.test', 'b.test'] } }],
    ['takes commas in the entries of a list', { users: ['a@example.test:1,2'] }, { reference: { users: [{ password: '1,2' }] } }],
    ['takes other spellings', { mx_port: 25, POSTHORN_LMTP_PORT: 24 }, { reference: { ports: { mx: 25, lmtp: 24 } } }],
    ['may switch off what is not there', { httpPort: 0 }, {}],
    ['may ask for no checks', { checks: [] }, { reference: { checks: [], isExplicit: true } }],
    ['may ask for no checks by nothing', { checks: '' }, { reference: { checks: [] } }],
  ])('%s', (_, content, expected) => {
    expect(file(content)).toMatchObject(expected)
  })

  it.each<[string, unknown, string]>([
    ['no object', [], 'a.json: give an object of settings'],
    ['nothing', undefined, 'a.json: give an object of settings'],
    ['an unknown key', { hostnam: 'a.test' }, 'a.json: hostnam: there is no such setting. Did you mean hostname?'],
    ['a key twice', { mxPort: 1, mx_port: 2 }, 'a.json: mxPort and mx_port are the same setting: give it once'],
    ['a bad value', { mxPort: 'x' }, 'a.json: mxPort: "x" will not do. It takes a port'],
    ['a list where one is wanted', { hostname: ['a.test', 'b.test'] }, 'a.json: hostname: "a.test" will not do.'],
    ['an object for a value', { users: { a: 'b' } }, 'a.json: users takes a text, a number, true or false, or a list of texts'],
    ['what is not there', { httpPort: 80 }, 'a.json: httpPort: the admin API is not available in this version'],
    ['an inherited key', JSON.parse('{"__proto__": 1}'), 'a.json: __proto__: there is no such setting'],
  ])('with %s is refused', (_, content, says) => {
    expect(() => file(content)).toThrow(says)
  })
})

it('knows the version of the package', () => {
  expect((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version).toBe(version)
})
