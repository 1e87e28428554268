import type { MessageFacts } from '../../../src/message/facts.ts'
import type { Part } from '../../../src/message/structure.ts'

/** What is wrong with facts whatever the message: parts out of range, out of order or out of what holds them. */
export function breaches(facts: MessageFacts): string[] {
  const found: string[] = []
  const expect = (holds: boolean, what: string, { header, body, end }: Part): void => {
    if (!holds) found.push(`${what} at ${header}-${body}-${end}`)
  }
  const { structure } = facts
  expect(structure.header === 0 && structure.end === facts.octets, 'the message is not all of it', structure)
  const waiting = [structure]
  for (let part = waiting.pop(); part; part = waiting.pop()) {
    expect(part.header <= part.body && part.body <= part.end, 'ends before it begins', part)
    expect(part.lines >= 0 && part.lines <= part.end - part.body, 'lines', part)
    expect(typeof part.type === 'string' && typeof part.subtype === 'string', 'type', part)
    expect(!part.envelope || part.parts?.length === 1, 'a message holds one message', part)
    expect(!part.opaque || !part.parts, 'opaque and taken apart', part)
    let behind = part.body
    for (const inner of part.parts ?? []) {
      expect(inner.header >= behind, 'begins before the part before it ends', inner)
      expect(inner.end <= part.end, 'ends behind what holds it', inner)
      expect(!part.envelope || inner.header === part.body, 'a message begins where its holder does', inner)
      behind = inner.end
      waiting.push(inner)
    }
  }
  return found
}
