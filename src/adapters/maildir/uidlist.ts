/*
 * `dovecot-uidlist`, version 3: where Dovecot keeps the UIDs of a Maildir, and we with it, so that either finds those that the
 * other has given.
 *
 *   3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1     UIDVALIDITY, next UID, the mailbox's GUID
 *   25006 W3421 Gabc :1276528487.M364837P9451.kurkku,S=1355    UID, extensions, the base of the file's name
 *
 * It is appended to, or replaced, under `dovecot-uidlist.lock`. The N of a file that was appended to may lag behind.
 */

/** One message. */
export interface UidRecord {
  readonly uid: number
  readonly base: string
  /** What the message is known by, if it is not its base. */
  readonly guid?: string
}

/** The file. */
export interface UidList {
  readonly uidValidity: number
  /** Above every UID in it. */
  readonly uidNext: number
  /** Of the mailbox: 32 hexadecimal digits; `undefined` where the file names none. */
  readonly guid: string | undefined
  /** In ascending order. */
  readonly records: readonly UidRecord[]
}

/** The highest UID and the highest UIDVALIDITY (RFC 9051 §2.3.1.1). */
export const LAST_UID = 0xffff_ffff

/** Reads the file; `undefined` where it is none of version 3. A line cut short at the end, or out of order, is passed over. */
export function parseUidList(text: string): UidList | undefined {
  const lines = text.split('\n')
  const head = lines[0]?.split(' ') ?? []
  const field = (key: string): string | undefined => head.find((one) => one.startsWith(key))?.slice(1)
  const uidValidity = whole(field('V'))
  if (head[0] !== '3' || lines.length < 2 || uidValidity === undefined) return undefined
  const records: UidRecord[] = []
  let uidNext = Math.max(1, whole(field('N')) ?? 1)
  let last = 0
  for (let i = 1; i < lines.length - 1; i++) {
    const record = parseRecord(lines[i] as string)
    if (!record || record.uid <= last) continue
    last = record.uid
    uidNext = Math.max(uidNext, last + 1)
    records.push(record)
  }
  const guid = field('G')
  return { uidValidity, uidNext, guid: guid !== undefined && isGuid(guid) ? guid : undefined, records }
}

/** Only the header of the file: what the first hundred octets or so tell. */
export function parseUidHeader(text: string): Omit<UidList, 'records'> | undefined {
  const end = text.indexOf('\n')
  return end < 0 ? undefined : parseUidList(text.slice(0, end + 1))
}

/** The whole file. */
export function formatUidList({ uidValidity, uidNext, guid, records }: UidList): string {
  const lines = records.map(formatUidRecord)
  return `3 V${uidValidity} N${uidNext}${guid === undefined ? '' : ` G${guid}`}\n${lines.join('')}`
}

/** One line of it. */
export function formatUidRecord({ uid, base, guid }: UidRecord): string {
  return `${uid}${guid === undefined ? '' : ` G${guid}`} :${base}\n`
}

function parseRecord(line: string): UidRecord | undefined {
  const colon = line.indexOf(' :')
  if (colon < 0) return undefined
  const [first, ...extensions] = line.slice(0, colon).split(' ')
  const uid = whole(first)
  if (uid === undefined || uid < 1) return undefined
  // Older versions wrote the flags of the time too.
  const name = line.slice(colon + 2)
  const info = name.indexOf(':')
  const base = info < 0 ? name : name.slice(0, info)
  const guid = extensions.find((one) => one.startsWith('G'))?.slice(1)
  return base === '' ? undefined : { uid, base, ...(guid === undefined || guid === '' ? {} : { guid }) }
}

function whole(digits: string | undefined): number | undefined {
  const value = digits === undefined || digits === '' || digits.length > 10 ? Number.NaN : Number(digits)
  return Number.isInteger(value) && value >= 0 && value <= LAST_UID ? value : undefined
}

function isGuid(text: string): boolean {
  if (text.length !== 32) return false
  for (const character of text) if (!'0123456789abcdef'.includes(character)) return false
  return true
}
