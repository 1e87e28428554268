import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { passwords } from '../../src/adapters/node/index.ts'
import { sqlite } from '../../src/adapters/sqlite/index.ts'
import { sieveScripts } from '../../src/inbound/sieve/index.ts'
import { referenceAdmin } from '../../src/server/reference-accounts.ts'
import { virtualClock } from '../../src/testing/virtual-clock.ts'
import { commandHere } from './in-process.ts'

const NOW = Date.UTC(2026, 10, 20, 8)
let data = ''
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'posthorn-sieve-'))
  const db = sqlite({ path: join(data, 'mail.db') })
  await db.accounts.setDomain({ name: 'example.test' })
  await adminOf(db).create({ addresses: ['eve@example.test'] })
  await db.close()
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

const adminOf = ({ accounts: records, store, keyValue }: ReturnType<typeof sqlite>) =>
  referenceAdmin({ records, passwords: passwords(), store, keyValue }, virtualClock({ now: NOW }), () => undefined)

/** A file with that text. */
function file(name: string, text: string | Uint8Array): string {
  writeFileSync(join(data, name), text)
  return join(data, name)
}

/** Runs `posthorn sieve …`. */
const sieve = (...given: string[]) => commandHere(data, NOW, ['sieve', ...given])

describe('posthorn sieve', () => {
  it('checks a script', async () => {
    expect(await sieve('check', file('good.sieve', 'keep;\r\n'))).toEqual({ code: 0, out: '', error: '' })
    const bad = file('bad.sieve', 'keep;\n  fileinot "x";')
    expect(await sieve('check', bad)).toEqual({
      code: 1,
      out: '',
      error: `${bad}:2:3: there is no command "fileinot": did you mean fileinto?\n`
        + `posthorn: ${bad} is no script that could run: it has an error`,
    })
    expect((await sieve('check', join(data, 'none'))).code).toBe(2)
    expect((await sieve('check', file('large', 'x'.repeat(70_000)))).error).toContain('larger than 65536 octets')
    expect((await sieve('check', file('octets', new Uint8Array([0xff])))).error).toContain('not UTF-8')
  })

  it('tells what a script would do', async () => {
    const require = 'require ["fileinto", "envelope"];\n'
    const script = file('one.sieve', `${require}if envelope "to" "eve@example.test" { fileinto "Mine"; }`)
    const message = file('mail.eml', 'Subject: x\n\nbody\n')
    const { code, out } = await sieve('test', script, message, '--from', 'bob@there.test', '--to', 'eve@example.test')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({
      errors: [],
      actions: [{ kind: 'file', path: ['Mine'], create: false }],
      edits: [],
      steps: [
        { at: '2:4', what: 'envelope: true, for "eve@example.test"' },
        { at: '2:4', what: 'if: true' },
        { at: '2:39', what: 'fileinto "Mine"' },
      ],
    })
    expect((await sieve('test', script, message, '--from', 'nobody')).error).toContain('no address')
  })

  it('keeps scripts of accounts', async () => {
    const script = file('one.sieve', 'discard;\n')
    expect(await sieve('list', 'eve@example.test')).toEqual({ code: 0, out: '', error: '' })
    expect((await sieve('put', 'eve@example.test', 'work', script)).code).toBe(0)
    expect((await sieve('put', 'eve@example.test', 'away', file('two.sieve', 'keep;'), '--activate')).code).toBe(0)
    const list = async () => (await sieve('list', 'eve@example.test')).out
    expect(await list()).toBe('{"name":"away","active":true,"size":5}\n{"name":"work","active":false,"size":9}\n')
    expect((await sieve('show', 'eve@example.test', 'work')).out).toBe('discard;\n')
    expect((await sieve('remove', 'eve@example.test', 'away')).error).toContain('is active')
    await sieve('activate', 'eve@example.test', 'work')
    await sieve('remove', 'eve@example.test', 'away')
    await sieve('activate', 'eve@example.test')
    expect(await list()).toBe('{"name":"work","active":false,"size":9}\n')
    const audit = readFileSync(join(data, 'audit.log'), 'utf8').trimEnd().split('\n')
    expect(audit.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      'sieve.put', 'sieve.put', 'sieve.activate', 'sieve.remove', 'sieve.activate',
    ])
  })

  it('says what is wrong', async () => {
    expect(await sieve('put', 'eve@example.test', 'x', file('bad', 'foo;'))).toMatchObject({ code: 1 })
    expect(await sieve('put', 'bob@example.test', 'x', file('good', 'keep;'))).toMatchObject({ code: 2 })
    expect((await sieve('show', 'eve@example.test', 'x')).error).toContain('There is no script "x"')
    expect((await sieve('activate', 'eve@example.test', 'x')).code).toBe(2)
    expect((await sieve('remove', 'eve@example.test', 'x')).code).toBe(2)
  })

  it('leaves nothing of an account that is removed', async () => {
    await sieve('put', 'eve@example.test', 'x', file('good', 'keep;'), '--activate')
    const db = sqlite({ path: join(data, 'mail.db') })
    const admin = adminOf(db)
    const { id } = (await admin.find('eve@example.test'))!
    const scripts = sieveScripts({ store: db.keyValue })
    expect(await scripts.list(id)).toHaveLength(1)
    await admin.remove(id)
    expect([await scripts.list(id), await scripts.active(id)]).toEqual([[], undefined])
    await db.close()
  })
})
