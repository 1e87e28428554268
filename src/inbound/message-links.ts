import type { ReceivedMessage } from '../contracts/received.ts'
import { linkHosts } from '../message/link-hosts.ts'
import { bodyText, isText, partsOf } from '../message/search-text.ts'
import { joinedOctets } from '../protocol/bytes/joined.ts'

/** Octets of a message that are looked through, as they were sent: a letter has a few thousand. */
const MOST_OCTETS = 256 * 1024

/** Parts that are looked through. */
const MOST_PARTS = 50

/**
 * The hosts of the links in a message's texts, those of HTML among them, decoded; see {@link linkHosts}. At most `most`, out of
 * the first 256 KiB of text in at most 50 parts.
 */
export async function messageLinks(message: ReceivedMessage, most: number): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  const texts = partsOf(message.facts.structure).filter((part) => isText(part) && part.type.toLowerCase() === 'text')
  let left = MOST_OCTETS
  for (const part of texts.slice(0, MOST_PARTS)) {
    const octets = Math.min(left, part.end - part.body)
    left -= octets
    if (octets <= 0) continue
    const chunks: Uint8Array[] = []
    for await (const chunk of message.raw({ start: part.body, end: part.body + octets })) chunks.push(chunk)
    const isHtml = part.subtype.toLowerCase().includes('html')
    for (const host of linkHosts(bodyText(part, joinedOctets(chunks)), isHtml, most)) {
      if (found.size < most) found.add(host)
    }
    if (found.size >= most) break
  }
  return found
}
