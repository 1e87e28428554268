import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { defaultBudgets } from '../../../src/message/budgets.ts'
import { defaultImapLimits, defaultImapTimeouts } from '../../../src/protocol/imap/limits.ts'
import { defaultPop3Limits, defaultPop3Timeouts } from '../../../src/protocol/pop3/limits.ts'
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

type Places = Readonly<Record<string, readonly [string, RegExp]>>

/** Defaults that are not exported, as they stand in the source, by the heading of their table. */
const inSource: Readonly<Record<string, Places>> = {
  'Receivers and listeners': {
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
  },
  'Connections that read mail': {
    server: ['src/server/seats.ts', /server = (\d+)/],
    address: ['src/server/seats.ts', /address = (\d+)/],
    account: ['src/server/seats.ts', /account = (\d+)/],
  },
  'Guessing: `loginGuard`': {
    window: ['src/accounts/guard.ts', /window = ([\d_]+)/],
    perAddress: ['src/accounts/guard.ts', /perAddress = (\d+)/],
    perAddressNames: ['src/accounts/guard.ts', /perAddressNames = (\d+)/],
    perAccount: ['src/accounts/guard.ts', /perAccount = (\d+)/],
    perKnown: ['src/accounts/guard.ts', /perKnown = (\d+)/],
    knownFor: ['src/accounts/guard.ts', /knownFor \?\? (\d+ \* DAY)/],
    'longest delay': ['src/accounts/guard.ts', /LONGEST_DELAY = (\d+ \* SECOND)/],
    repeats: ['src/accounts/guard.ts', /REPEATS = (\d+)/],
    'name characters': ['src/accounts/guard.ts', /LONGEST_NAME = (\d+)/],
    'under way': ['src/accounts/guard-turns.ts', /LONGEST = ([\d_]+)/],
  },
  Passwords: {
    atOnce: ['src/adapters/node/passwords.ts', /atOnce = (\d+)/],
    waiting: ['src/adapters/node/passwords.ts', /waiting = (\d+)/],
    'password octets': ['src/accounts/password-text.ts', /MOST_PASSWORD = (\d+)/],
    'bcrypt octets': ['src/adapters/node/passwords-bcrypt.ts', /MOST_OCTETS = (\d+)/],
    'stored hash memory': ['src/adapters/node/passwords-scrypt.ts', /MOST_MEMORY = (\d+ \* \d+ \* \d+)/],
    'stored hash work': ['src/adapters/node/passwords-scrypt.ts', /MOST_WORK = (\d+ \*\* \d+)/],
    'stored argon2 lanes': ['src/adapters/node/passwords-argon2.ts', /MOST_LANES = (\d+)/],
    'stored bcrypt cost': ['src/adapters/node/passwords-bcrypt.ts', /MOST_COST = (\d+)/],
    'stored hash characters': ['src/accounts/admin-passwords.ts', /MOST_HASH = (\d+)/],
  },
  'Accounts and addresses': {
    'quota.octets': ['src/accounts/account.ts', /GIB = (\d+ \*\* \d+)/],
    mostAddresses: ['src/accounts/directory.ts', /mostAddresses: most = (\d+)/],
    'alias domains': ['src/accounts/look-ups.ts', /MOST_HOPS = (\d+)/],
    listed: ['src/accounts/admin-checks.ts', /MOST_LISTED = (\d+)/],
    'local part octets': ['src/accounts/admin-checks.ts', /MOST_LOCAL = (\d+)/],
    'text octets': ['src/accounts/admin-checks.ts', /MOST_TEXT = (\d+)/],
    'login name octets': ['src/accounts/look-ups.ts', /MOST_NAME = (\d+)/],
    'app passwords': ['src/accounts/admin-passwords.ts', /MOST_APPS = (\d+)/],
    'certificate names': ['src/accounts/certificate.ts', /MOST_NAMES = (\d+)/],
    'Delivered-To fields': ['src/inbound/loops.ts', /MOST_FIELDS = (\d+)/],
    'senders named': ['src/inbound/submission.ts', /MOST_SENDERS = (\d+)/],
  },
}

const units = new Map([['SECOND', 1000], ['DAY', 86_400_000]])

function sourceValue([path, pattern]: readonly [string, RegExp]): number {
  const found = pattern.exec(readFileSync(new URL(path, root), 'utf8'))?.[1]
  expect(found, `${String(pattern)} in ${path}`).toBeDefined()
  const factors = found!.replaceAll('_', '').split(' * ').map((factor) => {
    const [base, power = 1] = factor.split(' ** ').map((part) => units.get(part) ?? Number(part))
    return base! ** power
  })
  return factors.reduce((one, other) => one * other)
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

  it('names every limit and time-out of IMAP with its default', () => {
    expect(values(table('One IMAP connection: `limits`'))).toEqual(defaultImapLimits)
    expect(values(table('One IMAP connection: `timeouts`'))).toEqual(defaultImapTimeouts)
  })

  it('names every limit and time-out of POP3 with its default', () => {
    expect(values(table('One POP3 connection: `limits`'))).toEqual(defaultPop3Limits)
    expect(values(table('One POP3 connection: `timeouts`'))).toEqual(defaultPop3Timeouts)
  })

  it.each(Object.entries(inSource))('names all of "%s" with their defaults', (heading, places) => {
    const wanted = Object.fromEntries(Object.entries(places).map(([name, where]) => [name, sourceValue(where)]))
    expect(values(table(heading))).toEqual(wanted)
  })

  it('argues each', () => {
    const conversation = 'One SMTP or LMTP conversation'
    const headings = [`${conversation}: \`l`, `${conversation}: \`t`, 'What a message is']
    const reading = ['IMAP', 'POP3'].flatMap((name) => [`One ${name} connection: \`l`, `One ${name} connection: \`t`])
    for (const heading of [...headings, ...reading, ...Object.keys(inSource)]) {
      for (const [name, { why }] of table(heading)) expect(why.length, name).toBeGreaterThan(20)
    }
  })
})
