import { describe, expect, it } from 'vitest'
import type { Filtered } from '../../../src/contracts/filter.ts'
import { readMailbox } from '../../../src/inbound/sieve/values.ts'
import { testSieve } from '../../../src/inbound/sieve/index.ts'
import { actions, base, bodies, edits, others, type SieveCase, tests, vacations, variables } from './cases.ts'
import { PLAIN } from './mails.ts'

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0)

const address = (text: string | undefined) => (text === undefined ? undefined : readMailbox(text)!.address)

/** What was done, in the words of the tables. */
function told({ actions: found, error }: Pick<Filtered, 'actions' | 'error'>): string[] {
  if (error) return ['error']
  return found.map((action) => {
    const flags = 'flags' in action && action.flags ? ` [${action.flags.map((flag) => flag.toLowerCase()).sort().join(' ')}]` : ''
    switch (action.kind) {
      case 'file': {
        const use = action.use === undefined ? '' : ` use ${action.use.toLowerCase()}`
        return `file ${action.path.join('/')}${action.create ? ' create' : ''}${use}${flags}`
      }
      case 'redirect':
        return `redirect ${action.to.local}@${action.to.domain}`
      default:
        return `${action.kind}${flags}`
    }
  })
}

async function outcome({ script, message = PLAIN, from, to }: SieveCase): Promise<string[]> {
  const tested = await testSieve(script, message.replaceAll('\n', '\r\n'), {
    now: NOW,
    sender: from === null ? null : address(from ?? 'coyote@desert.example.org')!,
    recipient: address(to ?? 'roadrunner@acme.example.com')!,
    mailboxes: ['INBOX', 'Here'],
    uses: ['\\Junk'],
  })
  return tested.errors.length > 0 ? ['refused'] : told(tested)
}

describe.each([
  ['the base language', base],
  ['actions', actions],
  ['variables', variables],
  ['tests', tests],
  ['bodies', bodies],
  ['vacation', vacations],
  ['editheader', edits],
  ['duplicate and include', others],
])('%s', (_, cases) => {
  it.each(cases.map((one) => [one.script.replaceAll('\n', ' ').slice(0, 150), one] as const))('%s', async (_name, one) => {
    expect(await outcome(one)).toEqual(one.does)
  })
})
