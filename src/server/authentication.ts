import type { Authentication, LoginClient, LoginRefusal } from '../accounts/authenticate.ts'
import type { Connection } from '../contracts/received.ts'
import type { Credentials, SaslMechanism } from '../protocol/sasl/exchange.ts'
import { login } from '../protocol/sasl/login.ts'
import { plain } from '../protocol/sasl/plain.ts'
import type { AuthRefusal } from '../protocol/smtp/index.ts'
import { after } from './after.ts'
import { type Authenticate, type Authenticated, refusalOf } from './reception.ts'

/** What came of credentials, as SMTP says it. */
export interface Judgement {
  readonly account: string | undefined
  /** Absent where there is no account: 535. */
  readonly refusal?: AuthRefusal | undefined
  /** Why they could not be judged. */
  readonly error?: unknown
}

/** The mechanisms that can be offered. A function judges passwords and nothing else. */
export function mechanismsFor(authenticate: Authenticate | Authentication): readonly SaslMechanism[] {
  return typeof authenticate === 'function' ? [plain, login] : authenticate.mechanisms
}

/** Has credentials judged. */
export function judge(
  authenticate: Authenticate | Authentication,
  credentials: Credentials,
  connection: Connection,
  { now, delay }: Pick<LoginClient, 'now' | 'delay'>,
): Judgement | Promise<Judgement> {
  if (typeof authenticate === 'function') {
    if (credentials.kind !== 'password') return { account: undefined }
    return after(authenticate(credentials, connection), judgementOf)
  }
  return authenticate
    .judge(credentials, { ...clientOf(connection, now), delay })
    .then((result) => (result.kind === 'account' ? { account: result.account.id } : refused(result)))
}

/** Who tries to log in on a connection. */
export function clientOf({ peer, tls }: Connection, now: number): LoginClient {
  return { address: peer.address, tls, now }
}

/** Why nobody logs in, as SMTP says it (RFC 4954 §6). */
export function refused(result: LoginRefusal): Judgement {
  switch (result.kind) {
    case 'invalid':
      return { account: undefined, refusal: { ...invalid, delay: result.delay } }
    case 'temporary':
      return { account: undefined, refusal: temporary, error: result.error }
    case 'tooMany':
      return { account: undefined, refusal: tooMany }
  }
}

const invalid: AuthRefusal = { code: 535, enhanced: '5.7.8', text: 'Authentication credentials invalid' }
const temporary: AuthRefusal = { code: 454, enhanced: '4.7.0', text: 'Temporary authentication failure' }
const tooMany: AuthRefusal = { code: 421, enhanced: '4.7.0', text: 'Too many failed log-ins, try again later' }

function judgementOf(found: Authenticated): Judgement {
  if (!found) return { account: undefined }
  return 'account' in found ? { account: found.account } : { account: undefined, refusal: refusalOf(found) }
}
