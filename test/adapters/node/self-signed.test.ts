import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { der, integer, oid, time } from '../../../src/adapters/node/der.ts'
import { certificates, listenNode, selfSigned, selfSignedFiles } from '../../../src/adapters/node/index.ts'
import { dialTls } from './ends.ts'

const now = Date.UTC(2026, 10, 1)
const day = 86_400_000

describe('DER', () => {
  it.each([
    [0, '0400'], [1, '0401'], [127, '047f'], [128, '048180'], [255, '0481ff'], [256, '04820100'], [65_536, '0483010000'],
  ])('writes a length of %d', (octets, start) => {
    expect(der(0x04, new Uint8Array(octets)).toString('hex', 0, start.length / 2)).toBe(start)
  })

  it.each([
    [[0], '020100'], [[127], '02017f'], [[128], '02020080'], [[0, 0, 1], '020101'], [[0, 255], '020200ff'], [[1, 0], '02020100'],
  ])('writes the number %j', (magnitude, hex) => {
    expect(integer(Uint8Array.from(magnitude)).toString('hex')).toBe(hex)
  })

  it.each([
    ['1.2.840.10045.4.3.2', '06082a8648ce3d040302'], ['2.5.29.17', '0603551d11'], ['1.3.6.1.5.5.7.3.1', '06082b06010505070301'],
    ['2.5.4.128', '060455048100'],
  ])('writes the identifier %s', (dotted, hex) => {
    expect(oid(dotted).toString('hex')).toBe(hex)
  })

  it.each([
    [Date.UTC(2026, 0, 2, 3, 4, 5, 678), '170d', '260102030405Z'], [Date.UTC(2049, 11, 31, 23, 59, 59), '170d', '491231235959Z'],
    [Date.UTC(2050, 0, 1), '180f', '20500101000000Z'],
  ])('writes the time %d', (at, tag, text) => {
    const bytes = time(at)
    expect(bytes.toString('hex', 0, 2)).toBe(tag)
    expect(bytes.toString('latin1', 2)).toBe(text)
  })
})

describe('selfSigned', () => {
  it('makes what Node reads as a server certificate for these names', () => {
    const { cert, key } = selfSigned({ hostname: 'mail.example.test', names: ['imap.example.test', '192.0.2.1', '::1'], now })
    const x509 = new X509Certificate(cert)
    expect(x509.subject).toBe('CN=mail.example.test')
    expect(x509.issuer).toBe('CN=mail.example.test')
    expect(x509.subjectAltName).toBe(
      'DNS:mail.example.test, DNS:imap.example.test, IP Address:192.0.2.1, IP Address:0:0:0:0:0:0:0:1')
    expect(x509.ca).toBe(false)
    expect(x509.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(Date.parse(x509.validFrom)).toBe(now - day)
    expect(Date.parse(x509.validTo)).toBe(now + 825 * day)
    expect(x509.checkPrivateKey(createPrivateKey(key))).toBe(true)
    expect(x509.verify(x509.publicKey)).toBe(true)
    expect(x509.checkIssued(x509)).toBe(true)
  })

  it('is accepted by a client that trusts it, under its name', async () => {
    const pair = selfSigned({ hostname: 'mail.example.test' })
    const listener = await listenNode({
      port: 0, host: '127.0.0.1', onTransport: (transport) => transport.end(),
      tls: { mode: 'implicit', certificates: certificates({ ...pair, watch: false }) },
    })
    const trusting = { ca: pair.cert, rejectUnauthorized: true }
    const far = await dialTls({ port: listener.port as number }, { ...trusting, servername: 'mail.example.test' })
    expect(far.socket.authorized).toBe(true)
    far.end()
    const wrong = dialTls({ port: listener.port as number }, { ...trusting, servername: 'other.example.test' })
    await expect(wrong).rejects.toThrow(/altnames/)
    listener.close()
    await listener.closed
  })

  it('writes certificates that parse and verify, for any name and time', () => {
    fc.assert(fc.property(
      fc.domain(), fc.integer({ min: 0, max: Date.UTC(2080, 0) / 1000 }), fc.integer({ min: 1, max: 20_000 }),
      (hostname, seconds, days) => {
        const x509 = new X509Certificate(selfSigned({ hostname, days, now: seconds * 1000 }).cert)
        expect(x509.verify(x509.publicKey)).toBe(true)
        expect(Date.parse(x509.validTo)).toBe(seconds * 1000 + days * day)
        expect(x509.checkHost(hostname, { subject: 'never' })).toBe(hostname)
      },
    ), { numRuns: 50 })
  })

  it('takes a host name longer than a common name may be', () => {
    const hostname = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`
    expect(new X509Certificate(selfSigned({ hostname }).cert).checkHost(hostname)).toBe(hostname)
  })
})

describe('selfSignedFiles', () => {
  it('makes files once, keeps the key to its owner, and renews for another name, near the end, or when damaged', async () => {
    const root = await mkdtemp(join(tmpdir(), 'posthorn-self-signed-'))
    const directory = join(root, 'data', 'tls')
    const options = { hostname: 'a.example', now }
    const files = selfSignedFiles(directory, options)
    const first = await readFile(files.cert, 'utf8')
    expect((await stat(files.key)).mode & 0o777).toBe(0o600)
    expect(certificates({ ...files, watch: false }).expires()[0]?.names).toEqual(['a.example'])

    expect(selfSignedFiles(directory, options)).toEqual(files)
    expect(await readFile(files.cert, 'utf8')).toBe(first)

    selfSignedFiles(directory, { ...options, now: now + 796 * day })
    const renewed = await readFile(files.cert, 'utf8')
    expect(renewed).not.toBe(first)

    selfSignedFiles(directory, { ...options, names: ['b.example', '127.0.0.1'] })
    expect(certificates({ ...files, watch: false }).expires()[0]?.names).toEqual(['a.example', 'b.example'])

    await writeFile(files.cert, 'garbage')
    selfSignedFiles(directory, options)
    expect(certificates({ ...files, watch: false }).expires()[0]?.names).toEqual(['a.example'])
    await rm(root, { recursive: true })
  })
})
