import { mailauthAuthenticator } from '../../../src/adapters/mailauth/index.ts'
import type { Authentication, SpfFinding } from '../../../src/contracts/authentication.ts'
import type { AuthenticateWhat } from '../../../src/contracts/authenticator.ts'
import { fakeDns, type FakeZone } from '../../../src/testing/fake-dns.ts'
import { received } from './messages.ts'

const authenticator = mailauthAuthenticator()
const everything: AuthenticateWhat = { spf: undefined, dkim: true, dmarc: true, arc: true, bimi: false }

/** What is found out about a message. */
export function look(
  message: string | Uint8Array,
  zone: FakeZone | ReturnType<typeof fakeDns> = {},
  what: Partial<AuthenticateWhat> & { readonly piece?: number; readonly id?: string } = {},
): Promise<Omit<Authentication, 'spf' | 'iprev'>> {
  const { piece, id = 'message-1', ...more } = what
  const resolver = 'resolve' in zone ? (zone as ReturnType<typeof fakeDns>) : fakeDns(zone as FakeZone)
  const by = { resolver, signal: new AbortController().signal }
  return authenticator.message(received(message, piece, { id }), { ...everything, ...more }, by)
}

/** That SPF passes for a domain. */
export const spfPass = (domain: string, result: SpfFinding['result'] = 'pass'): SpfFinding =>
  ({ result, identity: 'mailfrom', domain, why: undefined })
