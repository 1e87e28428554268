import { sortParts, type TextPart } from '../adapters/mailparser/parts.ts'
import type { ReceivedMessage } from '../contracts/received.ts'
import type { Address } from '../message/address.ts'
import { flattenAddresses, parseAddressList } from '../message/addresses.ts'
import { decodeText } from '../message/charset.ts'
import { parseTransferEncoding } from '../message/content.ts'
import { withoutMarkup } from '../message/preview.ts'
import { decodeTransfer } from '../message/transfer.ts'
import { codesOf } from './codes.ts'
import { linksOf } from './links.ts'

/** A mail that has come to a test's mailbox, read as a person would. */
export interface MailboxMail {
  /** Empty where there is none. */
  readonly subject: string
  /** The author's address; the envelope's sender where From names none; empty for the null sender. */
  readonly from: string
  /** Every address that stands for the sender: in From, and in the envelope. */
  readonly senders: readonly string[]
  /** To whom it was really sent: the envelope. */
  readonly to: readonly string[]
  /** Every address that stands for a recipient: in the envelope, in To and in Cc. */
  readonly recipients: readonly string[]
  /** Line ends are `\n`. Made from the HTML where there is no plain text. */
  readonly text: string
  readonly html: string | undefined
  /** Web links, each once: those of the HTML, then those that the text alone has. */
  readonly links: readonly string[]
  /** One-time codes, the likeliest first. */
  readonly codes: readonly string[]
  /** The octets, one a code unit; without the `Received:` field that the receiver puts before it. */
  readonly raw: string
  /** The message as a server's `deliver` gets it: headers, facts, attachments through `parsed()`. */
  readonly received: ReceivedMessage
}

/** A mail to be read when it is asked for. Its octets are in memory. */
export class ArrivedMail implements MailboxMail {
  readonly received: ReceivedMessage
  #text: string | undefined
  #html: string | null | undefined

  constructor(received: ReceivedMessage) {
    this.received = received
  }

  get subject(): string {
    return this.received.headers.text('subject') ?? ''
  }

  get from(): string {
    return this.senders[0] ?? ''
  }

  get senders(): readonly string[] {
    const { sender } = this.received.envelope
    return distinct([...this.#addressesIn('from'), ...(sender === null ? [] : [written(sender)])])
  }

  get to(): readonly string[] {
    return this.received.envelope.recipients.map(written)
  }

  get recipients(): readonly string[] {
    return distinct([...this.to, ...this.#addressesIn('to'), ...this.#addressesIn('cc')])
  }

  get text(): string {
    this.#read()
    return this.#text!
  }

  get html(): string | undefined {
    this.#read()
    return this.#html ?? undefined
  }

  get links(): readonly string[] {
    return linksOf(this.text, this.html)
  }

  get codes(): readonly string[] {
    return codesOf(this.text)
  }

  get raw(): string {
    return Buffer.from(this.#octets(0, this.received.octets)).toString('latin1')
  }

  #addressesIn(name: string): string[] {
    const items = this.received.headers.all(name).flatMap((field) => flattenAddresses(parseAddressList(field.value)))
    return items.flatMap(({ address }) => (address ? [written(address)] : []))
  }

  #read(): void {
    if (this.#text !== undefined) return
    const { sections } = sortParts(this.received.facts.structure)
    const htmls = sections.flatMap(({ html }) => html.map((part) => this.#textOf(part)))
    this.#html = htmls.length === 0 ? null : htmls.join('\n')
    this.#text = sections
      .map(({ plain, html }) => {
        const texts = plain.map((part) => this.#textOf(part))
        return texts.length > 0 ? texts.join('\n') : html.map((part) => lines(withoutMarkup(this.#textOf(part)))).join('\n')
      })
      .join('\n')
  }

  #textOf({ part, octets }: TextPart): string {
    const decoded = decodeTransfer(this.#octets(part.body, part.body + octets), parseTransferEncoding(part.encoding))
    const charset = part.params?.find(([name]) => name.toLowerCase() === 'charset')?.[1]
    return decodeText(decoded, charset).replaceAll('\r\n', '\n')
  }

  #octets(from: number, to: number): Uint8Array {
    return this.received.body.bytes!.subarray(from, to)
  }
}

const written = ({ local, domain }: Address): string => `${local}@${domain}`

const distinct = (addresses: readonly string[]): string[] => [...new Set(addresses)]

/** Without the blanks that markup leaves behind. */
const lines = (text: string): string =>
  text
    .split('\n')
    .map((line) =>
      line
        .split(/[ \t]+/)
        .join(' ')
        .trim(),
    )
    .filter((line) => line !== '')
    .join('\n')
