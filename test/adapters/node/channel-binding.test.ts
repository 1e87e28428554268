import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect, type SecureVersion } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { signatureHash } from '../../../src/adapters/node/channel-binding.ts'
import { bitString, integer, oid, sequence, tagged } from '../../../src/adapters/node/der.ts'
import { certificates, listenNode } from '../../../src/adapters/node/index.ts'
import type { Transport } from '../../../src/protocol/session/transport.ts'
import { issue } from './issue.ts'

const pair = issue({ subject: 'mx.test', dns: ['mx.test'] })

/** A connection over TLS, both ends of it. */
async function connected(version: SecureVersion) {
  let took: (transport: Transport) => void
  const accepted = new Promise<Transport>((resolve) => (took = resolve))
  const listener = await listenNode({
    port: 0,
    host: '127.0.0.1',
    tls: { mode: 'implicit', certificates: certificates({ ...pair, watch: false }) },
    onTransport: (transport) => took(transport),
  })
  const client = connect({ port: listener.port!, rejectUnauthorized: false, maxVersion: version })
  await once(client, 'secureConnect')
  const transport = await accepted
  return {
    client,
    binding: transport.peer.tls!.channelBinding!.bind(transport.peer.tls),
    close: async () => {
      transport.reset()
      client.destroy()
      listener.close()
      await listener.closed
    },
  }
}

describe('what a TLS connection is bound to', () => {
  it('is what its client knows, too', async () => {
    const { client, binding, close } = await connected('TLSv1.3')
    const exported = client.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
    expect(Buffer.from(binding('tls-exporter')!)).toEqual(exported)
    const certificate = client.getPeerX509Certificate()!.raw
    expect(Buffer.from(binding('tls-server-end-point')!)).toEqual(createHash('sha256').update(certificate).digest())
    await close()
  })

  it('is the certificate alone before TLS 1.3', async () => {
    const { binding, close } = await connected('TLSv1.2')
    expect(binding('tls-exporter')).toBeUndefined()
    expect(binding('tls-server-end-point')).toHaveLength(32)
    await close()
  })

  it('is nothing when it has closed', async () => {
    const { binding, client, close } = await connected('TLSv1.3')
    await close()
    if (!client.closed) await once(client, 'close')
    expect(binding('tls-exporter')).toBeUndefined()
  })
})

describe('the hash of a signature', () => {
  const signed = (...algorithm: Uint8Array[]): Uint8Array =>
    sequence(sequence(integer(Uint8Array.of(1))), sequence(...algorithm), bitString(Buffer.alloc(300)))
  const pss = (hash: string): Uint8Array[] => [oid('1.2.840.113549.1.1.10'), sequence(tagged(0, true, sequence(oid(hash))))]

  it.each<[string, Uint8Array[], string | undefined]>([
    ['MD5 with RSA, for which SHA-256 stands', [oid('1.2.840.113549.1.1.4')], 'sha256'],
    ['SHA-1 with RSA, for which SHA-256 stands', [oid('1.2.840.113549.1.1.5')], 'sha256'],
    ['SHA-256 with RSA', [oid('1.2.840.113549.1.1.11')], 'sha256'],
    ['SHA-384 with RSA', [oid('1.2.840.113549.1.1.12')], 'sha384'],
    ['SHA-512 with RSA', [oid('1.2.840.113549.1.1.13')], 'sha512'],
    ['SHA-1 with ECDSA, for which SHA-256 stands', [oid('1.2.840.10045.4.1')], 'sha256'],
    ['SHA-384 with ECDSA', [oid('1.2.840.10045.4.3.3')], 'sha384'],
    ['RSASSA-PSS with SHA-512', pss('2.16.840.1.101.3.4.2.3'), 'sha512'],
    ['RSASSA-PSS with SHA-1, for which SHA-256 stands', pss('1.3.14.3.2.26'), 'sha256'],
    ['RSASSA-PSS without a word about it', [oid('1.2.840.113549.1.1.10'), sequence()], 'sha256'],
    ['Ed25519, which has none', [oid('1.3.101.112')], undefined],
  ])('%s', (_what, algorithm, wanted) => {
    expect(signatureHash(signed(...algorithm))).toBe(wanted)
  })

  it('of a real certificate', () => {
    expect(signatureHash(new X509Certificate(pair.cert as string).raw)).toBe('sha256')
  })
})
