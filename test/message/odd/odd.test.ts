import { describe, expect, it } from 'vitest'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { defaultBudgets } from '../../../src/message/budgets.ts'
import type { MessageFacts } from '../../../src/message/facts.ts'
import { bodyStructureText, envelopeText } from '../../../src/message/imap-text.ts'
import { createIndexer, indexMessage } from '../../../src/message/indexer.ts'
import { StructureScan } from '../../../src/message/structure-scan.ts'
import type { Part } from '../../../src/message/structure.ts'
import { addresses } from './addresses.ts'
import { outline } from './case.ts'
import { containers } from './containers.ts'
import { content } from './content.ts'
import { delimiters } from './delimiters.ts'
import { headers } from './headers.ts'
import { breaches } from './invariants.ts'
import { large } from './large.ts'
import { countSteps } from './steps.ts'

const written = [...headers, ...addresses, ...content, ...delimiters, ...containers]

function inPortions(bytes: Uint8Array, size: number): MessageFacts {
  const indexer = createIndexer()
  for (let at = 0; at < bytes.length; at += size) indexer.push(bytes.subarray(at, at + size))
  return indexer.end()
}

describe('odd messages', () => {
  it.each(written)('$name', ({ message, structure, oddities, envelope, bodyStructure, preview, attachments }) => {
    const facts = indexMessage(octets(message))
    expect(outline(facts.structure)).toEqual(structure)
    expect(facts.oddities.map(({ kind }) => kind)).toEqual(oddities)
    if (envelope !== undefined) expect(envelopeText(facts.envelope)).toBe(envelope)
    if (bodyStructure !== undefined) expect(bodyStructureText(facts.structure)).toBe(bodyStructure)
    if (preview !== undefined) expect(facts.preview).toBe(preview)
    if (attachments !== undefined) expect(facts.attachments).toBe(attachments)
    expect(facts.octets).toBe(message.length)
    expect(breaches(facts)).toEqual([])
    expect(JSON.parse(JSON.stringify(facts))).toStrictEqual(facts)
  })

  it.each(written)('$name, at every split', ({ message }) => {
    const bytes = octets(message)
    const whole = indexMessage(bytes)
    for (let size = 1; size <= Math.min(bytes.length, 40); size++) expect(inPortions(bytes, size)).toEqual(whole)
    for (let at = 0; at <= bytes.length; at++) {
      const indexer = createIndexer()
      indexer.push(bytes.subarray(0, at))
      indexer.push(bytes.subarray(at))
      expect(indexer.end()).toEqual(whole)
    }
  })

  it('are more than sixty', () => {
    expect(new Set(written.map(({ name }) => name)).size).toBe(written.length)
    expect(written.length + large.length).toBeGreaterThan(60)
  })
})

describe('large messages', () => {
  const count = (part: Part): number => 1 + (part.parts ?? []).reduce((sum, inner) => sum + count(inner), 0)
  const depth = (part: Part): number => 1 + Math.max(0, ...(part.parts ?? []).map(depth))

  it.each(large)('$name', ({ message, size, parts, depth: deep, oddities }) => {
    const bytes = octets(message(size))
    const facts = indexMessage(bytes)
    expect(count(facts.structure)).toBe(parts)
    expect(depth(facts.structure)).toBe(deep)
    expect(facts.oddities.map(({ kind }) => kind)).toEqual(oddities)
    expect(breaches(facts)).toEqual([])
    expect(bodyStructureText(facts.structure).length).toBeLessThan(20 * bytes.length + 2000)
    expect(inPortions(bytes, 65_536)).toEqual(facts)
    expect(inPortions(bytes, 1_460)).toEqual(facts)
  })

  it.each(large)('$name: twice the octets, twice the steps', ({ message, size }) => {
    const steps = (scale: number): { octets: number; taken: number } => {
      const bytes = octets(message(scale))
      let work = 0
      const counted = countSteps(() => {
        const scan = new StructureScan(defaultBudgets)
        scan.run(bytes, true)
        scan.facts()
        ;({ work } = scan)
      })
      return { octets: bytes.length, taken: counted + work }
    }
    const few = steps(Math.ceil(size / 32))
    const many = steps(Math.ceil(size / 16))
    expect(many.taken / many.octets).toBeLessThan(1.3 * (few.taken / few.octets) + 1)
  })
})
