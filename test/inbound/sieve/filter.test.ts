import { describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../../src/adapters/memory/index.ts'
import type { FilterSubject } from '../../../src/contracts/filter.ts'
import type { ReceivedMessage, Recipient } from '../../../src/contracts/received.ts'
import { sieveFilter, type SieveFilterOptions, sieveMessage, sieveScripts } from '../../../src/inbound/sieve/index.ts'
import { encodeUtf8 } from '../../../src/protocol/bytes/text.ts'
import { PERSONAL } from './mails.ts'

const NOW = Date.UTC(2026, 10, 20)
const rights = { smtp: true, imap: true, admin: false }
const account = { id: 'a1', disabled: false, rights, quota: { messages: Infinity, octets: Infinity } }
const recipient = { local: 'spike', domain: 'doghouse.example.com' } as Recipient
const subject: FilterSubject = {
  account,
  recipient,
  hasMailbox: async ([name]) => Promise.resolve(name === 'Here'),
  hasUse: async () => Promise.resolve(false),
  now: NOW,
  signal: new AbortController().signal,
}
const message = sieveMessage(encodeUtf8(PERSONAL), { local: 'tweety', domain: 'cage.example.org' }) as ReceivedMessage

describe('scripts of accounts', () => {
  const kept = (most = 3) => sieveScripts({ store: memoryKeyValue(), most })

  it('are listed, given, replaced and removed', async () => {
    const scripts = kept()
    expect(await scripts.list('a1')).toEqual([])
    expect(await scripts.put('a1', 'work', 'keep;')).toEqual([])
    expect(await scripts.put('a1', 'Ferien: ü/1', '# ü\nstop;')).toEqual([])
    expect(await scripts.put('a1', 'work', 'discard;')).toEqual([])
    expect(await scripts.put('a2', 'other', 'stop;')).toEqual([])
    expect(await scripts.list('a1')).toEqual([
      { name: 'Ferien: ü/1', active: false, size: 10 },
      { name: 'work', active: false, size: 8 },
    ])
    expect(await scripts.get('a1', 'work')).toBe('discard;')
    expect(await scripts.get('a1', 'other')).toBe(undefined)
    expect(await scripts.remove('a1', 'Ferien: ü/1')).toBe('removed')
    expect(await scripts.remove('a1', 'Ferien: ü/1')).toBe('missing')
    await scripts.erase('a1')
    expect([await scripts.list('a1'), (await scripts.list('a2')).length]).toEqual([[], 1])
  })

  it('have one that is active, or none', async () => {
    const scripts = kept()
    await scripts.put('a1', 'one', 'keep;')
    expect([await scripts.active('a1'), await scripts.activate('a1', 'two')]).toEqual([undefined, false])
    expect(await scripts.active('a1')).toBe(undefined)
    expect(await scripts.activate('a1', 'one')).toBe(true)
    expect(await scripts.active('a1')).toEqual({ name: 'one', script: 'keep;' })
    expect(await scripts.list('a1')).toEqual([{ name: 'one', active: true, size: 5 }])
    expect(await scripts.remove('a1', 'one')).toBe('active')
    await scripts.put('a1', 'one', 'stop;')
    expect(await scripts.active('a1')).toEqual({ name: 'one', script: 'stop;' })
    expect(await scripts.activate('a1', undefined)).toBe(true)
    expect([await scripts.active('a1'), await scripts.remove('a1', 'one')]).toEqual([undefined, 'removed'])
  })

  it('are looked at before they are kept', async () => {
    const scripts = kept()
    expect(await scripts.put('a1', 'x', 'foo;\n')).toEqual([{ line: 1, column: 1, text: 'there is no command "foo"' }])
    expect(await scripts.list('a1')).toEqual([])
    for (const name of ['', 'a\nb', 'x'.repeat(129), 'a\u2028b']) {
      await expect(scripts.put('a1', name, 'keep;')).rejects.toMatchObject({ code: 'misuse' })
    }
    await expect(scripts.put('a1', 'x', `# ${'ü'.repeat(33_000)}`)).rejects.toMatchObject({ code: 'quota' })
  })

  it('are no more than there may be', async () => {
    const scripts = kept(2)
    await scripts.put('a1', 'x'.repeat(128), 'keep;')
    await scripts.put('a1', 'y', 'keep;')
    await expect(scripts.put('a1', 'z', 'keep;')).rejects.toMatchObject({ code: 'quota' })
    expect(await scripts.put('a1', 'y', 'stop;')).toEqual([])
  })

  it('want a store', () => {
    expect(() => sieveScripts({} as never)).toThrow('sieveScripts: store is missing')
    expect(() => sieveScripts({ store: memoryKeyValue(), size: 100_000 })).toThrow('size is 100000')
  })
})

describe('the filter', () => {
  const filtering = async (script: string | undefined, options: Partial<SieveFilterOptions> = {}) => {
    const store = memoryKeyValue()
    const scripts = sieveScripts({ store })
    if (script !== undefined) {
      expect(await scripts.put('a1', 'main', script)).toEqual([])
      await scripts.activate('a1', 'main')
    }
    return { scripts, filter: sieveFilter({ scripts, store, ...options }) }
  }

  it('does nothing for an account without a script, or what it has for such', async () => {
    expect(await (await filtering(undefined)).filter.filter(message, subject)).toBe(undefined)
    const { filter } = await filtering(undefined, { fallback: 'discard;' })
    expect((await filter.filter(message, subject))?.actions).toEqual([])
  })

  it('runs the active script, and the next one once that is active', async () => {
    const script = 'require ["fileinto", "mailbox", "environment"];\n'
      + 'if allof (mailboxexists "Here", not mailboxexists "There", environment "host" "mx.example.org") { fileinto "Here"; }'
    const { scripts, filter } = await filtering(script, { hostname: 'mx.example.org' })
    expect((await filter.filter(message, subject))?.actions).toEqual([{ kind: 'file', path: ['Here'], create: false }])
    await scripts.put('a1', 'main', 'discard;')
    expect((await filter.filter(message, subject))?.actions).toEqual([])
  })

  it('includes scripts of the account and of the server', async () => {
    const script = 'require ["include", "fileinto"]; include "own"; include :global "all"; include :global :optional "none";'
    const { scripts, filter } = await filtering(script, {
      global: async (name) => Promise.resolve(name === 'all' ? 'require "fileinto"; fileinto "g";' : undefined),
    })
    await scripts.put('a1', 'own', 'require "fileinto"; fileinto "o";')
    expect((await filter.filter(message, subject))?.actions).toMatchObject([{ path: ['o'] }, { path: ['g'] }])
  })

  it('answers in the name of the account, once', async () => {
    const other = { local: 'dog', domain: 'doghouse.example.com' }
    const script = 'require "vacation"; vacation :from "boss@doghouse.example.com" "x";'
    const { filter } = await filtering(script, {
      addresses: () => [other],
      maySendAs: async ({ id }, { local }) => Promise.resolve(id === 'a1' && local === 'boss'),
    })
    const first = await filter.filter(message, { ...subject, recipient: { ...recipient, local: 'somebody' } })
    expect(first?.steps.at(-1)?.what).toContain('not addressed')
    const second = await filter.filter(message, subject)
    expect(second?.actions.at(-1)).toMatchObject({ kind: 'reply', from: { address: { local: 'boss' } } })
    await second?.done?.()
    expect((await filter.filter(message, subject))?.actions).toEqual([{ kind: 'keep' }])
  })

  it('keeps the message where the script is broken', async () => {
    const active = async () => Promise.resolve({ name: 'x', script: 'foo;' })
    const scripts = { active, get: async () => Promise.resolve(undefined) }
    const found = await sieveFilter({ scripts }).filter(message, subject)
    expect(found).toEqual({
      actions: [{ kind: 'keep' }],
      edits: [],
      steps: [],
      error: { at: '1:1', text: 'there is no command "foo"' },
    })
  })

  it('keeps only so many scripts ready', async () => {
    const { scripts, filter } = await filtering('keep;', { cached: 10 })
    for (const script of ['discard;', 'keep;', 'discard;', '# a longer one than that\ndiscard;', 'keep;']) {
      await scripts.put('a1', 'main', script)
      expect((await filter.filter(message, subject))?.actions.length).toBe(script === 'keep;' ? 1 : 0)
    }
  })

  it('looks at its options', () => {
    const scripts = sieveScripts({ store: memoryKeyValue() })
    expect(() => sieveFilter({ scripts, fallback: 'foo;' })).toThrow('fallback: 1:1: there is no command')
    expect(() => sieveFilter({ scripts, zone: 9000 })).toThrow('zone is 9000')
    expect(() => sieveFilter({ scripts, limits: { actoins: 1 } as never })).toThrow('Did you mean actions?')
    expect(() => sieveFilter({} as never)).toThrow('scripts is missing')
  })
})
