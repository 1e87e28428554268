import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isMap, isScalar, parseAllDocuments, type YAMLMap } from 'yaml'
import { mailauthAuthenticator } from '../../../src/adapters/mailauth/index.ts'
import type { ArcFinding } from '../../../src/contracts/authentication.ts'
import { received } from './messages.ts'
import { SuiteDns } from './zone.ts'

const folder = resolve(process.env.POSTHORN_CORPORA ?? '../shared/corpora', 'arc')
const present = existsSync(folder)
if (!present) console.log(`skipped: no ${folder} (set POSTHORN_CORPORA)`)

type Case = Readonly<Record<string, string>>
interface Scenario {
  readonly description: string
  readonly tests: readonly (readonly [name: string, given: Case])[]
  readonly keys: SuiteDns
}

/** Some names are in it twice, for different cases. */
function scenarios(file: string): Scenario[] {
  if (!present) return []
  return parseAllDocuments(readFileSync(resolve(folder, file), 'utf8'), { uniqueKeys: false }).map((document) => {
    const { items } = document.get('tests') as YAMLMap
    const records = (document.get('txt-records') as YAMLMap | undefined)?.toJSON() as Record<string, string> | undefined
    return {
      description: String(document.get('description')),
      tests: items.map(({ key, value }) => [
        isScalar(key) ? String(key.value) : '', isMap(value) ? (value.toJSON() as Case) : {},
      ]),
      keys: new SuiteDns(Object.fromEntries(Object.entries(records ?? {}).map(([name, text]) => [name, [{ TXT: text }]]))),
    }
  })
}

/** Cases of which another verdict is right. */
const exceptions = new Map([
  // Nothing is signed but the body: RFC 6376 §5.4 wants the From field, by which alone a seal says anything of an author.
  ['ams_fields_h_empty', ['fail', 'From field not signed']],
])

const authenticator = mailauthAuthenticator()

async function chainOf(message: string, resolver: SuiteDns): Promise<ArcFinding> {
  const what = { spf: undefined, dkim: false, dmarc: false, arc: true, bimi: false }
  const by = { resolver, signal: new AbortController().signal }
  return (await authenticator.message(received(message.replaceAll('\n', '\r\n')), what, by)).arc!
}

describe.runIf(present)('the ARC suite', () => {
  const validation = scenarios('arc-draft-validation-tests.yml')
  const signing = scenarios('arc-draft-sign-tests.yml')

  it('has 192 cases', () => {
    expect([...validation, ...signing].reduce((sum, { tests }) => sum + tests.length, 0)).toBe(192)
  })

  for (const { description, tests, keys } of validation) {
    it.each(tests)(`validates, ${description}: %s`, async (name, { message = '', cv }) => {
      const { result, why } = await chainOf(message, keys)
      const exception = exceptions.get(name)
      if (exception) expect([result, why]).toEqual(exception)
      // The suite has no verdict on chains whose last seal says that they are broken; RFC 8617 §5.2 (2) has.
      else expect(result).toBe((cv?.trim() || 'fail').toLowerCase())
    })
  }

  // Nothing here seals: what the suite expects of one who does, put on top of the message, must be a chain that passes. Seals are
  // over signatures that are not folded.
  for (const { description, tests, keys } of signing) {
    it.each(tests)(`signs, ${description}: %s`, async (_, { message = '', AS = '', AMS = '', AAR = '' }) => {
      const field = (name: string, value: string): string => (value.trim() === '' ? '' : `${name}: ${unfolded(value)}\n`)
      const set = field('ARC-Seal', AS) + field('ARC-Message-Signature', AMS) + field('ARC-Authentication-Results', AAR)
      const { result } = await chainOf(set + message, keys)
      // Of a broken chain nobody seals more than that it is broken, or nothing.
      expect(result).toBe(set === '' || AS.includes('cv=fail') ? 'fail' : 'pass')
    })
  }
})

const unfolded = (value: string): string =>
  value.trim().replaceAll(/\s+/g, ' ').replaceAll(/ b=[^;]*/g, (tag) => ` b=${tag.slice(3).replaceAll(' ', '')}`)
