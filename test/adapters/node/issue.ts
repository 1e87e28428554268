/** Certificates for tests: authorities, servers and clients, in any state of disrepair. No openssl needed. */
import { generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import {
  bitString, integer, octetString, oid, sequence, set, tagged, time, truth, utf8String,
} from '../../../src/adapters/node/der.ts'
import type { KeyPair } from '../../../src/adapters/node/index.ts'

export interface Issued extends KeyPair {
  readonly subject: string
  readonly privateKey: KeyObject
}

export interface IssueOptions {
  /** Common name. */
  readonly subject: string
  readonly dns?: readonly string[]
  readonly email?: readonly string[]
  readonly ca?: boolean
  /** Extended key usage: the last arc of id-kp, 1 for serverAuth, 2 for clientAuth. */
  readonly purposes?: readonly number[]
  readonly issuer?: Issued
  /** Milliseconds since the Unix epoch. */
  readonly expires?: number
  readonly begins?: number
}

const algorithm = sequence(oid('1.2.840.10045.4.3.2'))
const nameOf = (commonName: string): Buffer => sequence(set(sequence(oid('2.5.4.3'), utf8String(commonName))))
let serial = 1

export function issue({ subject, dns = [], email = [], ca = false, purposes, issuer, expires, begins }: IssueOptions): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const named = (kind: number) => (name: string): Buffer => tagged(kind, false, Buffer.from(name))
  const general = [...dns.map(named(2)), ...email.map(named(1))]
  const extensions = [sequence(oid('2.5.29.19'), truth, octetString(ca ? sequence(truth) : sequence()))]
  if (general.length > 0) extensions.push(sequence(oid('2.5.29.17'), octetString(sequence(...general))))
  const usages = purposes?.map((arc) => oid(`1.3.6.1.5.5.7.3.${arc}`))
  if (usages) extensions.push(sequence(oid('2.5.29.37'), octetString(sequence(...usages))))
  const toSign = sequence(
    tagged(0, true, integer(Uint8Array.of(2))),
    integer(Uint8Array.of(serial >> 8, serial++ & 255)),
    algorithm,
    nameOf(issuer?.subject ?? subject),
    sequence(time(begins ?? Date.UTC(2020, 0)), time(expires ?? Date.UTC(2049, 0))),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, true, sequence(...extensions)),
  )
  const signature = sign('sha256', toSign, issuer?.privateKey ?? privateKey)
  const base64 = sequence(toSign, algorithm, bitString(signature)).toString('base64')
  const cert = `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
  const pair: KeyPair = { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
  // Out of sight of `{ ...issued }`: a pair is all that `certificates()` takes.
  return Object.defineProperties(pair, { subject: { value: subject }, privateKey: { value: privateKey } }) as Issued
}
