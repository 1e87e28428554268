import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { mailauthAuthenticator } from '../../../src/adapters/mailauth/index.ts'
import { SuiteDns, type Zone } from './zone.ts'

interface Case {
  readonly helo: string
  readonly host: string
  readonly mailfrom: string
  /** Several: any of them. */
  readonly result: string | readonly string[]
  readonly explanation?: string
}

const path = resolve(process.env.POSTHORN_CORPORA ?? '../shared/corpora', 'spf/rfc7208-tests.yml')
const present = existsSync(path)
if (!present) console.log(`skipped: no ${path} (set POSTHORN_CORPORA)`)

const scenarios = present
  ? parseAllDocuments(readFileSync(path, 'utf8')).map(
      (document) => document.toJS() as { description: string; tests: Record<string, Case>; zonedata: Zone },
    )
  : []

describe.runIf(present)('the openspf suite of RFC 7208', () => {
  it('has 203 cases', () => {
    expect(scenarios.reduce((sum, { tests }) => sum + Object.keys(tests).length, 0)).toBe(203)
  })

  const authenticator = mailauthAuthenticator()
  for (const { description, tests, zonedata } of scenarios) {
    it.each(Object.entries(tests))(`${description}: %s`, async (_, { helo, host, mailfrom, result, explanation }) => {
      const found = await authenticator.spf(
        { address: host, helo, sender: mailfrom, hostname: 'mx.test', now: 0 },
        { resolver: new SuiteDns(zonedata), signal: new AbortController().signal },
      )
      expect([result].flat()).toContain(found.result)
      // What the suite calls DEFAULT is what a program says of its own.
      const isGiven = found.result === 'fail' && explanation !== undefined && explanation !== 'DEFAULT'
      // The digits of an IPv6 address are in either case (RFC 7208 §7.4).
      if (isGiven) expect(found.why?.toLowerCase()).toBe(explanation.toLowerCase())
    })
  }
})
