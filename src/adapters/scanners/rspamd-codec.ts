import type { Scanned, ScanFinding, ScanSubject } from '../../contracts/scanner.ts'
import { formatAddress } from '../../message/format-address.ts'
import { decodeUtf8, hasControl, utf8Octets } from '../../protocol/bytes/text.ts'
import { finite, MOST_FINDINGS, MOST_NAME, MOST_TEXT, nonsense, oneLine, Unscannable } from './said.ts'

/*
 * The protocol of rspamd: `POST /checkv2`, with what is known of the message beside its content in header fields, and an answer
 * in JSON.
 */

/** Octets of an answer: one with all of its some hundred symbols has less than 100,000. */
export const MOST_ANSWER = 1024 * 1024

/** Octets of all recipients: rspamd reads 80 KiB of fields. What is beyond is not told. */
const MOST_RECIPIENTS = 32_768
/** Characters of a field's value, and fields that are taken over. */
const MOST_VALUE = 4096
const MOST_FIELDS = 50

/** Fields of the request, in order; a name may come again. */
export type RequestFields = readonly (readonly [name: string, value: string])[]

/** What the server is called, and what opens rspamd. */
export interface RspamdTerms {
  readonly hostname: string | undefined
  readonly password: string | undefined
}

/** Tells what is known of a message. Values are strings of octets, UTF-8 where they are not ASCII. */
export function requestFields(subject: ScanSubject, { hostname, password }: RspamdTerms): RequestFields {
  const { id, envelope: { sender, recipients }, connection: { peer, hello, account, tls } } = subject
  const fields: [string, string][] = []
  const tell = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') fields.push([name, utf8Octets(hasControl(value) ? oneLine(value) : value)])
  }
  tell('Password', password)
  tell('IP', peer.address)
  tell('Helo', hello?.name)
  tell('From', sender === null ? '<>' : formatAddress(sender))
  let room = MOST_RECIPIENTS
  for (const address of recipients.map(formatAddress)) {
    room -= utf8Octets(address).length + 'Rcpt: \r\n'.length
    if (room >= 0) tell('Rcpt', address)
  }
  tell('User', account)
  tell('Queue-Id', id)
  tell('MTA-Name', hostname)
  tell('TLS-Cipher', tls?.cipher)
  tell('TLS-Version', tls?.protocol)
  return fields
}

/**
 * What rspamd wants done, and what that is here. `greylist` says no more than that the points are enough for that: where its
 * module for it finds that the time is not up, the action is `soft reject`. To defer by the points alone would be to defer for
 * ever.
 */
const actions = new Map<unknown, Scanned['action']>([
  ['no action', 'pass'],
  ['greylist', 'pass'],
  ['soft reject', 'defer'],
  ['add header', 'tag'],
  ['rewrite subject', 'tag'],
  ['quarantine', 'quarantine'],
  ['reject', 'reject'],
  ['discard', 'discard'],
])

type Values = Readonly<Record<string, unknown>>

/**
 * What rspamd says of a message. Throws `temporary` for another status than 200 and for what makes no sense, `permanent` for 413.
 */
export function readRspamdAnswer(status: number, body: Uint8Array): Scanned {
  if (status === 413) throw new Unscannable('permanent', 'it says: 413, too large')
  const answer = valuesIn(body)
  if (status !== 200) {
    const why = oneLine(answer?.['error'], 200)
    throw new Unscannable('temporary', `it says: ${status}${why === '' ? '' : `, ${why}`}`)
  }
  if (answer === undefined) throw nonsense('it is no JSON object')
  const action = actions.get(answer['action'])
  const score = finite(answer['score'])
  if (action === undefined || score === undefined) {
    throw nonsense(`action ${JSON.stringify(oneLine(answer['action'], 60))}, score ${oneLine(String(answer['score']), 60)}`)
  }
  const threshold = finite(answer['required_score'])
  const text = oneLine(objectIn(answer['messages'])['smtp_message'])
  const milter = objectIn(answer['milter'])
  const subject = answer['action'] === 'rewrite subject' ? oneLine(answer['subject'], MOST_VALUE) : ''
  const addFields = [...addedIn(objectIn(milter['add_headers'])), ...(subject === '' ? [] : [['Subject', subject] as const])]
  const removeFields = [...removedIn(objectIn(milter['remove_headers'])), ...(subject === '' ? [] : ['Subject'])]
  return {
    action,
    findings: symbolsIn(objectIn(answer['symbols'])),
    score,
    ...(threshold === undefined ? {} : { threshold }),
    ...(text === '' ? {} : { text }),
    ...(addFields.length === 0 ? {} : { addFields }),
    ...(removeFields.length === 0 ? {} : { removeFields }),
  }
}

function valuesIn(body: Uint8Array): Values | undefined {
  try {
    const value: unknown = JSON.parse(decodeUtf8(body) ?? '')
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value)
const objectIn = (value: unknown): Values => (isObject(value) ? value : {})

function symbolsIn(symbols: Values): ScanFinding[] {
  return Object.entries(symbols).slice(0, MOST_FINDINGS).map(([key, value]) => {
    const { score: given, description, options } = objectIn(value)
    const score = finite(given)
    const listed = Array.isArray(options) ? options.slice(0, 20).map((option) => oneLine(option, MOST_NAME)).join(', ') : ''
    const text = [oneLine(description), listed].filter((part) => part !== '').join(': ').slice(0, MOST_TEXT)
    const name = oneLine(key, MOST_NAME)
    return { name: name === '' ? 'unnamed' : name, ...(score === undefined ? {} : { score }), ...(text === '' ? {} : { text }) }
  })
}

/** RFC 5322 §3.6.8 */
const isFieldName = (name: string): boolean => name.length <= MOST_NAME && /^[!-9;-~]+$/.test(name)

/** `{ "X-Spam": "yes" }`, `{ "X-Spam": { "value": "yes", "order": 1 } }`, or a list of either. */
function addedIn(fields: Values): (readonly [string, string])[] {
  const added = Object.entries(fields).filter(([name]) => isFieldName(name)).flatMap(([name, given]) =>
    [given].flat().map((one): readonly [string, string] => [name, oneLine(isObject(one) ? one['value'] : one, MOST_VALUE)]))
  return added.filter(([, value]) => value !== '').slice(0, MOST_FIELDS)
}

/** `{ "X-Spam": 0 }`: all of that name, or the one with that number; all are taken out here. */
const removedIn = (fields: Values): string[] => Object.keys(fields).filter(isFieldName).slice(0, MOST_FIELDS)
