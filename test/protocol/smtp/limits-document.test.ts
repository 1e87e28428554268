import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { defaultBudgets } from '../../../src/message/budgets.ts'
import { defaultLimits, defaultTimeouts } from '../../../src/protocol/smtp/index.ts'

const root = new URL('../../../', import.meta.url)
const text = readFileSync(new URL('docs/limits.md', root), 'utf8')

/** Name and default of each row of the table below a heading, and what is said of it. */
function table(heading: string): Map<string, { value: number; why: string }> {
  const from = text.indexOf(`\n## ${heading}`)
  expect(from).toBeGreaterThan(0)
  const end = text.indexOf('\n## ', from + 1)
  const rows = new Map<string, { value: number; why: string }>()
  for (const line of text.slice(from, end < 0 ? text.length : end).split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim())
    const name = /^`([^`]+)`$/.exec(cells[1] ?? '')?.[1]
    if (name !== undefined) rows.set(name, { value: Number(cells[2]!.replaceAll(',', '')), why: cells.at(-2)! })
  }
  return rows
}

const values = (rows: ReturnType<typeof table>): Record<string, number> =>
  Object.fromEntries([...rows].map(([name, { value }]) => [name, value]))

/** Defaults that are not exported, as they stand in the source. */
const inSource: Record<string, [string, RegExp]> = {
  'connections.server': ['src/inbound/checks/max-connections.ts', /server = (\d+)/],
  'connections.address': ['src/inbound/checks/max-connections.ts', /address = (\d+)/],
  'connections.network': ['src/inbound/checks/max-connections.ts', /network = (Infinity)/],
  inMemory: ['src/server/receiver.ts', /inMemory \?\? (\d+ \* \d+)/],
  'rateLimit.keys': ['src/inbound/checks/rate-limit.ts', /keys = ([\d_]+)/],
  maxPending: ['src/adapters/node/listener.ts', /maxPending = ([\d_]+)/],
  'proxy.within': ['src/adapters/node/listener.ts', /within \?\? ([\d_]+)/],
  'proxy v1 octets': ['src/adapters/node/proxy.ts', /longestV1 = ([\d_]+)/],
  'proxy v2 octets': ['src/adapters/node/proxy.ts', /longestV2 = ([\d_]+)/],
  handshakeWithin: ['src/adapters/node/listener.ts', /handshakeWithin: ([\d_]+)/],
  flushWithin: ['src/adapters/node/listener.ts', /flushWithin = ([\d_]+)/],
  lingerFor: ['src/adapters/node/listener.ts', /lingerFor = ([\d_]+)/],
  'stop.within': ['src/server/listening.ts', /within \?\? ([\d_]+)/],
}

function sourceValue([path, pattern]: [string, RegExp]): number {
  const found = pattern.exec(readFileSync(new URL(path, root), 'utf8'))?.[1]
  expect(found, `${String(pattern)} in ${path}`).toBeDefined()
  return found!.replaceAll('_', '').split(' * ').map(Number).reduce((one, other) => one * other)
}

describe('docs/limits.md', () => {
  it('names every limit of a conversation with its default', () => {
    expect(values(table('One SMTP or LMTP conversation: `limits`'))).toEqual(defaultLimits)
  })

  it('names every time-out with its default', () => {
    expect(values(table('One SMTP or LMTP conversation: `timeouts`'))).toEqual(defaultTimeouts)
  })

  it('names every budget of a message with its default', () => {
    expect(values(table('What a message is taken apart to'))).toEqual(defaultBudgets)
  })

  it('names the settings of receivers and listeners with their defaults', () => {
    const wanted = Object.fromEntries(Object.entries(inSource).map(([name, where]) => [name, sourceValue(where)]))
    expect(values(table('Receivers and listeners'))).toEqual(wanted)
  })

  it('argues each', () => {
    const conversation = 'One SMTP or LMTP conversation'
    for (const heading of [`${conversation}: \`l`, `${conversation}: \`t`, 'What a message is', 'Receivers']) {
      for (const [name, { why }] of table(heading)) expect(why.length, name).toBeGreaterThan(20)
    }
  })
})
