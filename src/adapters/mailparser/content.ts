import { readRange } from '../../contracts/read-body.ts'
import type { Body } from '../../contracts/bodies.ts'
import type { Attachment } from '../../contracts/received.ts'
import { decodeText } from '../../message/charset.ts'
import { parseTransferEncoding } from '../../message/content.ts'
import type { Part } from '../../message/structure.ts'
import { decodeTransfer } from '../../message/transfer.ts'
import { attachmentOf } from './attachment.ts'
import { type Section, sortParts, type TextPart } from './parts.ts'
import { loadTextReader, type TextReader } from './text.ts'

const LF = 10

/** What a message holds. */
export interface Content {
  /** Line ends are `\n`. Made from the HTML where there is no plain text; empty where there is neither. */
  readonly text: string
  readonly html: string | undefined
  readonly attachments: readonly Attachment[]
}

/**
 * Reads text, HTML and attachments out of a body by its structure. Whatever the message holds, something is made of it; of text
 * beyond 2 MiB or a hundred parts the rest is found among the attachments. Attachments are not held: they are read once for
 * their size and hash, and again by those who want them.
 *
 * @throws MailError `unavailable` where mailparser is not installed; what the body throws when it cannot be read
 */
export async function readContent(body: Body, structure: Part): Promise<Content> {
  const reader = await loadTextReader()
  const sorted = sortParts(structure)
  const sections: Said[] = []
  for (const section of sorted.sections) sections.push(await read(body, section, reader))
  const attachments: Attachment[] = []
  for (const part of sorted.attachments) attachments.push(await attachmentOf(body, part))
  const hasHtml = sections.some(({ html }) => html !== undefined)
  return {
    text: sections.map(({ text }) => text).join('\n'),
    html: hasHtml ? sections.map(({ text, html }) => html ?? asHtml(text)).join('<br>\n') : undefined,
    attachments,
  }
}

/** A section in words. */
interface Said {
  readonly text: string
  readonly html: string | undefined
}

async function read(body: Body, { plain, html }: Section, reader: TextReader): Promise<Said> {
  const marked = html.length === 0 ? undefined : (await Promise.all(html.map((one) => textOf(body, one)))).join('<br>\n')
  if (plain.length === 0) return { text: marked === undefined ? '' : await reader.fromHtml(marked), html: marked }
  const texts: string[] = []
  for (const one of plain) texts.push(await plainOf(body, one, reader))
  return { text: texts.join('\n'), html: marked }
}

async function plainOf(body: Body, one: TextPart, reader: TextReader): Promise<string> {
  const text = await textOf(body, one)
  const isFlowed = parameter(one.part, 'format')?.toLowerCase() === 'flowed'
  return isFlowed ? reader.fromFlowed(text, parameter(one.part, 'delsp')?.toLowerCase() === 'yes') : text
}

/** The text of a part, its encoding and charset undone. */
async function textOf(body: Body, { part, octets }: TextPart): Promise<string> {
  const bytes = await readRange(body, { start: part.body, end: part.body + octets })
  // Of what is too long, whole lines: no character is cut in two.
  const whole = part.body + octets < part.end ? bytes.subarray(0, bytes.lastIndexOf(LF) + 1 || octets) : bytes
  const decoded = decodeTransfer(whole, parseTransferEncoding(part.encoding))
  return decodeText(decoded, parameter(part, 'charset')).replaceAll('\r\n', '\n')
}

function parameter(part: Part, name: string): string | undefined {
  return part.params?.find(([one]) => one.toLowerCase() === name)?.[1]
}

function asHtml(text: string): string {
  const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<p>${safe.trim().replaceAll('\n', '<br>\n')}</p>`
}
