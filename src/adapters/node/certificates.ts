import { constants } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { SecureContext, SecureContextOptions } from 'node:tls'
import type { Alarm, Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'
import {
  aFunction,
  aList,
  aNumberAboveZero,
  aSwitch,
  aText,
  checkOptions,
  having,
  oneOf,
  type OptionKinds,
  required,
} from '../../protocol/session/options.ts'
import { nodeClock } from './clock.ts'
import { checkPair, dateOf, isPem, nameOf, noCertificate, parseCertificates } from './key-pair.ts'
import type { CheckedPair, ReadPem } from './key-pair.ts'
import { randomBytes } from './random.ts'
import type { KeyPair } from './self-signed.ts'

/** How long a certificate is good. */
export interface CertificateExpiry {
  /** The file, or `the certificate`. */
  readonly source: string
  readonly names: readonly string[]
  /** Milliseconds since the Unix epoch. */
  readonly expires: number
  /** Whole days that are left; negative when it is over. */
  readonly days: number
}

/**
 * - `expiry`: how many days are left, when a certificate is loaded and once a day; `within` is the mark (30, 14, 7, 1 days; 0: it
 *   is over) that was reached since the last time, told once for each certificate.
 * - `reloaded`: new files are in use for new connections.
 * - `refused`: new files are no good; the old certificates stay in use. `error` names the file.
 */
export type CertificateEvent =
  | (CertificateExpiry & { readonly kind: 'expiry'; readonly within: number | undefined })
  | { readonly kind: 'reloaded'; readonly certificates: readonly CertificateExpiry[] }
  | { readonly kind: 'refused'; readonly error: unknown }

/** Certificate and key are each the path of a PEM file or PEM text; the certificate's issuers follow it in the same file. */
export interface CertificatesOptions extends KeyPair {
  /** Further certificates, chosen by the server name a client asks for (SNI). The names, with wildcards, stand in them. */
  readonly also?: readonly KeyPair[]
  /** CAs whose client certificates count as authorized. With it, clients are asked for a certificate; none is required. */
  readonly clientCa?: string
  /** Default `TLSv1.2` (RFC 8996 forbids what is older). */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** OpenSSL's names for TLS 1.2. The default has forward secrecy and authenticated encryption only. */
  readonly ciphers?: string
  /** Look for changed files (default: true). Only while a file is among the settings. */
  readonly watch?: boolean
  /** Milliseconds between looks (default 10,000). A change counts once it has been seen twice: a copy under way is left alone. */
  readonly every?: number
  readonly clock?: Clock
  /** What it throws or rejects with is dropped. */
  readonly onEvent?: (event: CertificateEvent) => void
}

/** One set of certificates for listeners of any kind, implicit TLS or STARTTLS. */
export interface CertificateSource {
  /** Goes up with every reload. */
  readonly generation: number
  /** For the default certificate. */
  readonly options: SecureContextOptions
  /** By server name; the default certificate where it gives `undefined`. Absent where there is but one. */
  readonly select: ((serverName: string) => SecureContext | undefined) | undefined
  /** Whether clients are asked for a certificate. */
  readonly asksClients: boolean
  /**
   * What session tickets are sealed with, 48 octets: the same for all listeners, another after 12 hours and after each reload.
   * Clients with an older ticket make a whole handshake.
   */
  ticketKey(): Uint8Array
  /** Every certificate, the default one first, with the days that are left. */
  expires(): readonly CertificateExpiry[]
  /** Reads the files again at once. Rejects with a `config` MailError, and then the old certificates stay in use. */
  reload(): Promise<void>
  /** Ends the watch. */
  close(): void
}

/** Mozilla's "intermediate" list, version 5.7, without finite-field Diffie-Hellman. */
const modern = [
  'TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')

const day = 86_400_000
const marks = [0, 1, 7, 14, 30]
/** Whoever takes a key out of memory reads (TLS 1.2) what was sent while it was in use. */
const ticketKeyFor = day / 2

/**
 * Reads and checks the certificates: key, chain, purpose, dates. Throws a `config` MailError that names the file. At the start an
 * expired certificate is no error but an event: a mail server that does not start helps nobody. Later it does not replace one.
 */
export function certificates(options: CertificatesOptions): CertificateSource {
  checkOptions('certificates', options, kinds)
  return new Certificates(options)
}

const aPem = { ...aText, takes: 'the path of a PEM file, or PEM text' }
const kinds: OptionKinds<CertificatesOptions> = {
  cert: required(aPem),
  key: required(aPem),
  also: { ...aList, takes: 'a list of { cert, key }' },
  clientCa: aPem,
  minVersion: oneOf('TLSv1.2', 'TLSv1.3'),
  ciphers: aText,
  watch: aSwitch,
  every: aNumberAboveZero,
  clock: having('a clock', 'now', 'ticks', 'alarm'),
  onEvent: aFunction,
}

interface Loaded {
  readonly pairs: readonly CheckedPair[]
  readonly options: SecureContextOptions
  readonly byName: ReadonlyMap<string, SecureContext>
}

class Certificates implements CertificateSource {
  generation = 0
  readonly #settings: CertificatesOptions
  readonly #clock: Clock
  readonly #paths: readonly string[]
  /** Of each certificate: the mark that was told last, and when anything was. */
  readonly #told = new Map<string, { mark: number; at: number }>()
  #ticketKey = randomBytes(48)
  #ticketKeySince: number
  #loaded: Loaded
  /** What the files looked like at the last look, and when they were last read. */
  #stamp: string
  #inUse: string
  #alarm: Alarm | undefined
  #closed = false

  constructor(settings: CertificatesOptions) {
    this.#settings = settings
    this.#clock = settings.clock ?? nodeClock
    this.#paths = pathsOf(settings)
    this.#stamp = this.#inUse = stampOf(this.#paths.map((path) => statSync(path, { throwIfNoEntry: false })))
    this.#ticketKeySince = this.#clock.ticks()
    this.#loaded = load(settings, readSync, this.#clock.now())
    this.#tellExpiry()
    // Without files there is still the date to watch.
    if (settings.watch !== false) this.#schedule()
  }

  get options(): SecureContextOptions {
    return this.#loaded.options
  }

  get asksClients(): boolean {
    return this.#settings.clientCa !== undefined
  }

  get select(): ((serverName: string) => SecureContext | undefined) | undefined {
    const { byName, pairs } = this.#loaded
    return pairs.length < 2 ? undefined : (serverName) => find(byName, serverName)
  }

  expires(): readonly CertificateExpiry[] {
    const now = this.#clock.now()
    const daysTo = (expires: number): number => Math.floor((expires - now) / day)
    return this.#loaded.pairs.map(({ source, names, expires }) => ({ source, names, expires, days: daysTo(expires) }))
  }

  ticketKey(): Uint8Array {
    if (this.#clock.ticks() - this.#ticketKeySince >= ticketKeyFor) this.#renewTicketKey()
    return this.#ticketKey
  }

  async reload(): Promise<void> {
    // Before reading: a change that comes in between is seen at the next look.
    this.#inUse = await this.#stampNow()
    const texts = new Map<string, string>()
    for (const path of this.#paths) {
      texts.set(path, await readFile(path, 'utf8').catch((cause: unknown) => unreadable(path, cause)))
    }
    const now = this.#clock.now()
    const loaded = load(this.#settings, (pathOrPem) => texts.get(pathOrPem) ?? pathOrPem, now)
    const over = loaded.pairs.find(({ expires }) => expires <= now)
    if (over) throw new MailError('config', `${over.source}: the certificate is over since ${dateOf(over.expires)}; renew it`)
    this.#loaded = loaded
    this.generation++
    // A ticket keeps what was found of the client's certificate, by a client CA that may be another now.
    this.#renewTicketKey()
    this.#tell({ kind: 'reloaded', certificates: this.expires() })
    this.#tellExpiry()
  }

  close(): void {
    this.#closed = true
    this.#alarm?.cancel()
  }

  #renewTicketKey(): void {
    this.#ticketKey = randomBytes(48)
    this.#ticketKeySince = this.#clock.ticks()
  }

  #schedule(): void {
    const at = this.#clock.ticks() + (this.#settings.every ?? 10_000)
    this.#alarm = this.#clock.alarm(at, () => void this.#look())
  }

  async #look(): Promise<void> {
    const stamp = await this.#stampNow()
    if (this.#closed) return
    const settled = stamp === this.#stamp
    this.#stamp = stamp
    if (settled && stamp !== this.#inUse) {
      await this.reload().catch((error: unknown) => this.#tell({ kind: 'refused', error }))
    }
    this.#tellExpiry()
    if (!this.#closed) this.#schedule()
  }

  async #stampNow(): Promise<string> {
    return stampOf(await Promise.all(this.#paths.map((path) => stat(path).catch(() => undefined))))
  }

  /** Whoever listens, at once or later, cannot break what it watches. */
  #tell(event: CertificateEvent): void {
    try {
      const done: unknown = this.#settings.onEvent?.(event)
      if (done instanceof Promise) done.catch(() => undefined)
    } catch {
      // It listens at its own risk.
    }
  }

  #tellExpiry(): void {
    const now = this.#clock.now()
    for (const certificate of this.expires()) {
      const key = `${certificate.source} ${certificate.expires}`
      const told = this.#told.get(key)
      const mark = marks.find((days) => certificate.expires - now <= days * day) ?? Infinity
      const isNew = mark < (told?.mark ?? Infinity)
      if (told !== undefined && !isNew && now - told.at < day) continue
      this.#told.set(key, { mark, at: now })
      this.#tell({ kind: 'expiry', ...certificate, within: isNew ? mark : undefined })
    }
  }
}

function load(settings: CertificatesOptions, read: ReadPem, now: number): Loaded {
  const pairs = [settings, ...(settings.also ?? [])].map((pair) => checkPair(pair, read, now))
  const ca = settings.clientCa === undefined ? undefined : readCa(settings.clientCa, read)
  const optionsOf = ({ cert, key }: CheckedPair): SecureContextOptions => ({
    cert,
    key,
    ciphers: settings.ciphers ?? modern,
    minVersion: settings.minVersion ?? 'TLSv1.2',
    // Cheap to ask for, dear to do (CVE-2011-1473), and of no use to mail.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    // Without it OpenSSL fails to resume sessions of clients that showed a certificate.
    sessionIdContext: 'posthorn',
    ...(ca === undefined ? {} : { ca }),
  })
  const byName = new Map<string, SecureContext>()
  let first: SecureContextOptions | undefined
  for (const pair of pairs) {
    const options = optionsOf(pair)
    first ??= options
    const context = contextOf(options, pair)
    for (const name of pair.names) if (!byName.has(name)) byName.set(name, context)
  }
  return { pairs, options: first as SecureContextOptions, byName }
}

function contextOf(options: SecureContextOptions, { source }: CheckedPair): SecureContext {
  try {
    return createSecureContext(options)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new MailError('config', `${source}: TLS cannot use this certificate and key: ${why}`, { cause })
  }
}

/** RFC 6125 §6.4.3: a wildcard stands for one label, the leftmost. */
function find(byName: ReadonlyMap<string, SecureContext>, serverName: string): SecureContext | undefined {
  const lower = serverName.toLowerCase()
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower
  const dot = name.indexOf('.')
  return byName.get(name) ?? (dot > 0 ? byName.get(`*${name.slice(dot)}`) : undefined)
}

function readCa(clientCa: string, read: ReadPem): string[] {
  const source = nameOf(clientCa, 'client CA')
  const found = parseCertificates(read(clientCa), source)
  if (found.length > 0) return found.map((certificate) => certificate.toString())
  throw noCertificate(source)
}

function pathsOf({ cert, key, also = [], clientCa }: CertificatesOptions): string[] {
  const all = [cert, key, ...also.flatMap((pair) => [pair.cert, pair.key]), ...(clientCa === undefined ? [] : [clientCa])]
  return [...new Set(all)].filter((pathOrPem) => !isPem(pathOrPem))
}

function readSync(pathOrPem: string): string {
  if (isPem(pathOrPem)) return pathOrPem
  try {
    return readFileSync(pathOrPem, 'utf8')
  } catch (cause) {
    return unreadable(pathOrPem, cause)
  }
}

function unreadable(path: string, cause: unknown): never {
  throw new MailError('config', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}

/** Changes when a file does. Through links, as certificate tools and container platforms replace those. */
function stampOf(found: readonly (Stats | undefined)[]): string {
  return found.map((file) => (file === undefined ? 'absent' : `${file.ino} ${file.size} ${file.mtimeMs}`)).join('\n')
}
