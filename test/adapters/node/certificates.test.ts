import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { certificates, listenNode } from '../../../src/adapters/node/index.ts'
import type { CertificateEvent, CertificatesOptions } from '../../../src/adapters/node/index.ts'
import { alternativeNames } from '../../../src/adapters/node/x509.ts'
import type { Clock } from '../../../src/protocol/session/clock.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { Accepted, dialTls, opened } from './ends.ts'
import { issue } from './issue.ts'

const day = 86_400_000
const root = issue({ subject: 'Root', ca: true })
const between = issue({ subject: 'Between', ca: true, issuer: root })
const leaf = issue({ subject: 'leaf', dns: ['Mail.example.test', '*.example.test'], purposes: [1, 2], issuer: between })
const impostor = issue({ subject: 'Between', ca: true })
const other = issue({ subject: 'other.test', dns: ['other.test'] })
const damaged = (cert: string): string => cert.replace(/\nMII./, '\nAAAA')

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'posthorn-certificates-'))
})
afterAll(() => rm(directory, { recursive: true }))

let files = 0
async function file(text: string): Promise<string> {
  const path = join(directory, `${files++}.pem`)
  await writeFile(path, text)
  return path
}

describe('certificates', () => {
  it('takes a chain in order, with words around it, from text or files', async () => {
    const chain = `subject: leaf\n${leaf.cert}issuer\n${between.cert}${root.cert}`
    const expected = [{ names: ['mail.example.test', '*.example.test'], expires: Date.UTC(2049, 0) }]
    expect(certificates({ cert: chain, key: leaf.key, watch: false }).expires()).toMatchObject(expected)
    const cert = await file(chain)
    const source = certificates({ cert, key: await file(leaf.key), watch: false })
    expect(source.expires()).toMatchObject([{ ...expected[0], source: cert }])
  })

  it('takes the common name where there are no alternative names', () => {
    const old = issue({ subject: 'Old.example.test' })
    expect(certificates({ ...old, watch: false }).expires()[0]?.names).toEqual(['old.example.test'])
  })

  it.each([
    [undefined, /certificates takes an object of options/],
    [{ cert: 5, key: leaf.key }, /cert is 5; it takes the path of a PEM file, or PEM text/],
    [{ ...leaf, clientCA: root.cert }, /no option "clientCA". Did you mean clientCa\?/],
  ])('says what is wrong with %o', (options, message) => {
    expect(() => certificates(options as never)).toThrow(message)
  })

  it.each<readonly [string, () => { cert: string; key: string; clientCa?: string }, RegExp]>([
    ['no certificate', () => ({ cert: leaf.key, key: leaf.key }), /FILE0 holds no certificate in PEM form/],
    ['a damaged certificate', () => ({ cert: damaged(leaf.cert), key: leaf.key }), /FILE0: certificate 1 cannot be read/],
    ['a damaged issuer', () => ({ cert: leaf.cert + damaged(between.cert), key: leaf.key }),
      /FILE0: certificate 2 cannot be read/],
    ['the key of another', () => ({ cert: leaf.cert, key: between.key }), /FILE1 is not the key of the certificate in FILE0/],
    ['no key', () => ({ cert: leaf.cert, key: leaf.cert }), /FILE1 holds no private key/],
    ['a chain out of order', () => ({ cert: leaf.cert + root.cert + between.cert, key: leaf.key }),
      /FILE0: certificate 2 did not sign certificate 1/],
    ['an issuer of the same name with another key', () => ({ cert: leaf.cert + impostor.cert, key: leaf.key }),
      /FILE0: certificate 2 did not sign certificate 1/],
    ['a certificate for clients', () => issue({ subject: 'client', purposes: [2] }),
      /FILE0: the certificate is not meant for servers/],
    ['a certificate whose time has not come', () => issue({ subject: 'early', begins: Date.UTC(2048, 0) }),
      /FILE0: the certificate is not valid before 2048-01-01; .*is the date of this machine, 20\d\d-\d\d-\d\d, wrong\?/],
    ['a damaged client CA', () => ({ ...leaf, clientCa: damaged(root.cert) }), /FILE2: certificate 1 cannot be read/],
    ['a client CA that is none', () => ({ ...leaf, clientCa: 'nothing here' }), /FILE2 holds no certificate in PEM form/],
  ])('refuses %s, and names the file', async (_, texts, message) => {
    const { cert, key, clientCa } = texts()
    const options: CertificatesOptions = {
      cert: await file(cert), key: await file(key), watch: false,
      ...(clientCa === undefined ? {} : { clientCa: await file(clientCa) }),
    }
    const attempt = (): unknown => {
      try {
        return certificates(options)
      } catch (error) {
        return error
      }
    }
    const error = attempt()
    expect(isMailError(error) && error.code).toBe('config')
    const paths = [options.cert, options.key, options.clientCa ?? 'no client CA']
    const told = paths.reduce((text, path, index) => text.replaceAll(path, `FILE${index}`), (error as Error).message)
    expect(told).toMatch(message)
  })

  it('names a file that is not there', () => {
    const absent = { cert: '/nonexistent/a.crt', key: leaf.key, watch: false }
    expect(() => certificates(absent)).toThrow('/nonexistent/a.crt cannot be read: ENOENT')
  })

  it('chooses by server name, exact before wildcard, and leaves others to the default', () => {
    const wild = issue({ subject: 'w', dns: ['*.example.test'] })
    const exact = issue({ subject: 'e', dns: ['mx.example.test', 'example.test'] })
    const { select } = certificates({ ...other, also: [wild, exact], watch: false })
    const pick = (name: string): string => {
      const context = select?.(name)
      const names = ['other.test', 'a.example.test', 'mx.example.test']
      return names.find((known) => context !== undefined && context === select?.(known)) ?? 'default'
    }
    expect(pick('OTHER.test')).toBe('other.test')
    expect(pick('a.example.test')).toBe('a.example.test')
    expect(pick('B.Example.Test.')).toBe('a.example.test')
    expect(pick('mx.example.test')).toBe('mx.example.test')
    expect(pick('example.test')).toBe('mx.example.test')
    expect(pick('a.b.example.test')).toBe('default')
    expect(pick('.example.test')).toBe('default')
    expect(pick('*.example.test')).toBe('a.example.test')
    expect(pick('unknown')).toBe('default')
    expect(pick('')).toBe('default')
  })
})

/** A clock that stands until it is moved. */
class Still implements Clock {
  #now = Date.UTC(2026, 0, 1)
  #ticks = 0
  #alarms = new Map<object, { at: number; ring: () => void }>()

  now = (): number => this.#now
  ticks = (): number => this.#ticks

  alarm(at: number, ring: () => void): { cancel(): void } {
    const alarm = { cancel: () => void this.#alarms.delete(alarm) }
    this.#alarms.set(alarm, { at, ring })
    return alarm
  }

  get waiting(): number {
    return this.#alarms.size
  }

  /** Moves on to the next alarm, rings it, and waits for what it starts until the next one is set. */
  async next(): Promise<void> {
    for (const [alarm, { at, ring }] of [...this.#alarms]) {
      this.pass(Math.max(0, at - this.#ticks))
      this.#alarms.delete(alarm)
      ring()
    }
    while (this.#alarms.size === 0) await new Promise((resolve) => setImmediate(resolve))
  }

  pass(milliseconds: number): void {
    this.#ticks += milliseconds
    this.#now += milliseconds
  }
}

describe('certificates on disk', () => {
  const replace = async (path: string, text: string): Promise<void> => {
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }
  const watched = async (): Promise<{
    clock: Still; events: CertificateEvent[]; cert: string; key: string; source: ReturnType<typeof certificates>
  }> => {
    const clock = new Still()
    const events: CertificateEvent[] = []
    const [cert, key] = [await file(leaf.cert), await file(leaf.key)]
    const source = certificates({ cert, key, clock, onEvent: (event) => void events.push(event) })
    return { clock, events, cert, key, source }
  }

  it('come into use once they have changed and settled', async () => {
    const { clock, events, cert, key, source } = await watched()
    await clock.next()
    expect(source.generation).toBe(0)
    await replace(cert, other.cert)
    await clock.next()
    // Seen once, with the old key beside it: not read yet.
    await replace(key, other.key)
    await clock.next()
    expect(events.splice(0)).toMatchObject([{ kind: 'expiry', names: ['mail.example.test', '*.example.test'] }])
    await clock.next()
    const [certificate] = source.expires()
    // Good as long as the one before: there is nothing new to tell of that.
    expect(events).toEqual([{ kind: 'reloaded', certificates: [certificate] }])
    expect(source.generation).toBe(1)
    expect(source.expires()[0]?.names).toEqual(['other.test'])
    await clock.next()
    expect(events.length).toBe(1)
    source.close()
    expect(clock.waiting).toBe(0)
  })

  it('are left alone when the new ones are broken, which is told once', async () => {
    const { clock, events, cert, key, source } = await watched()
    events.length = 0
    await replace(cert, 'not yet')
    for (let look = 0; look < 4; look++) await clock.next()
    expect(events).toEqual([{ kind: 'refused', error: expect.objectContaining({ code: 'config' }) }])
    expect(source.expires()[0]?.names[0]).toBe('mail.example.test')
    await rm(key)
    for (let look = 0; look < 3; look++) await clock.next()
    expect(events.map(({ kind }) => kind)).toEqual(['refused', 'refused'])
    await replace(cert, other.cert)
    await replace(key, other.key)
    for (let look = 0; look < 3; look++) await clock.next()
    expect(events.map(({ kind }) => kind)).toEqual(['refused', 'refused', 'reloaded'])
    source.close()
  })

  it('are read at once on reload(), which rejects where they are broken', async () => {
    const { events, cert, key, source, clock } = await watched()
    await replace(cert, other.cert)
    await expect(source.reload()).rejects.toThrow(`${key} is not the key of the certificate in ${cert}`)
    expect(source.generation).toBe(0)
    await replace(key, other.key)
    await source.reload()
    expect(source.generation).toBe(1)
    for (let look = 0; look < 3; look++) await clock.next()
    expect(events.map(({ kind }) => kind)).toEqual(['expiry', 'reloaded'])
    source.close()
  })

  it('do not replace good ones when they are over', async () => {
    const { clock, events, cert, key, source } = await watched()
    const over = issue({ subject: 'over', expires: Date.UTC(2021, 0) })
    await replace(cert, over.cert)
    await replace(key, over.key)
    for (let look = 0; look < 3; look++) await clock.next()
    const error = expect.objectContaining({ message: `${cert}: the certificate is over since 2021-01-01; renew it` })
    expect(events.slice(1)).toEqual([{ kind: 'refused', error }])
    expect(source.generation).toBe(0)
    source.close()
  })

  it('seal session tickets with a key that changes twice a day, and with every reload', async () => {
    const { clock, cert, key, source } = await watched()
    const first = source.ticketKey()
    expect(first.length).toBe(48)
    clock.pass(day / 2 - 1)
    expect(source.ticketKey()).toBe(first)
    clock.pass(1)
    const second = source.ticketKey()
    expect(second).not.toEqual(first)
    expect(source.ticketKey()).toBe(second)
    await replace(cert, other.cert)
    await replace(key, other.key)
    await source.reload()
    expect(source.ticketKey()).not.toEqual(second)
    source.close()
  })

  it('tell each day how many are left, and when they are about to end, once a mark', async () => {
    const clock = new Still()
    const events: CertificateEvent[] = []
    const pair = issue({ subject: 'short', dns: ['short.test'], expires: clock.now() + 40 * day })
    const source = certificates({ ...pair, clock, onEvent: (event) => void events.push(event) })
    const days: unknown[] = []
    const marks: unknown[] = []
    for (let passed = 0; passed < 42; passed++) {
      for (const event of events.splice(0)) {
        if (event.kind !== 'expiry') continue
        days.push(event.days)
        if (event.within !== undefined) marks.push([event.within, event.names[0]])
      }
      clock.pass(day)
      await clock.next()
    }
    expect(days).toEqual(Array.from({ length: 42 }, (_, passed) => 40 - passed))
    expect(source.expires()[0]?.days).toBe(-2)
    expect(marks).toEqual([30, 14, 7, 1, 0].map((left) => [left, 'short.test']))
    source.close()
  })

  it('do not mind a listener that fails, at once or later', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    for (const fail of [
      () => {
        throw new Error('at once')
      },
      async () => {
        throw new Error('later')
      },
    ]) {
      const clock = new Still()
      const heard: string[] = []
      const pair = issue({ subject: 'short', dns: ['short.test'], expires: clock.now() + 8 * day })
      const onEvent = ({ kind }: CertificateEvent): unknown => (heard.push(kind), fail())
      const source = certificates({ ...pair, clock, onEvent: onEvent as (event: CertificateEvent) => void })
      for (let passed = 0; passed < 9; passed++) {
        clock.pass(day)
        await clock.next()
      }
      expect(heard.length).toBe(10)
      source.close()
    }
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
  })

  it('tell at the start that they have ended, and serve nonetheless', () => {
    const events: CertificateEvent[] = []
    const expired = issue({ subject: 'expired', expires: Date.UTC(2021, 0) })
    certificates({ ...expired, watch: false, onEvent: (event) => void events.push(event) })
    expect(events).toMatchObject([{ kind: 'expiry', within: 0, expires: Date.UTC(2021, 0) }])
    expect((events[0] as { days: number }).days).toBeLessThan(-365)
  })

  it('change for new connections while old ones go on', async () => {
    const { cert, key, source } = await watched()
    const accepted = new Accepted()
    const listener = await listenNode({
      port: 0, host: '127.0.0.1', tls: { mode: 'implicit', certificates: source }, onTransport: accepted.take,
    })
    const place = { port: listener.port as number }
    const before = await dialTls(place)
    const near = await accepted.next()
    const sink = opened(near)
    await replace(cert, other.cert)
    await replace(key, other.key)
    await source.reload()
    const after = await dialTls(place)
    const later = await accepted.next()
    opened(later)
    expect(before.socket.getPeerCertificate().subject.CN).toBe('leaf')
    expect(after.socket.getPeerCertificate().subject.CN).toBe('other.test')
    before.send('still here')
    await sink.until(() => sink.octets === 10)
    near.reset()
    later.reset()
    source.close()
    listener.close()
    await listener.closed
  })
})

describe('alternativeNames', () => {
  it.each([
    [undefined, [], []],
    ['', [], []],
    ['DNS:A.example, email:Alice@example.org, IP Address:192.0.2.1, URI:http://a', ['a.example'], ['Alice@example.org']],
    // Each of these was once a way to be somebody else (CVE-2021-44531 and -44532).
    ['DNS:"a.example, DNS:evil.example", DNS:b.example', ['b.example'], []],
    ['URI:"http://x\\", DNS:evil.example", DNS:c.example', ['c.example'], []],
    ['DNS:alice@example.org, email:example.org', [], []],
    ['DNS:, email:', [], []],
    ['nonsense', [], []],
    ['DNS:"unclosed, DNS:evil.example', [], []],
  ])('reads %j', (text, dns, email) => {
    expect(alternativeNames(text)).toEqual({ dns, email })
  })
})
