import { utf8Octets } from '../../../bytes/text.ts'
import { encodeString } from '../../encode.ts'
import { pathOf } from '../../mailbox-name.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ask, no, ok, type Run } from '../../run.ts'
import { Refused } from '../../../session/refusal.ts'
import { AUTHENTICATED, type Command, type ImapContext } from '../context.ts'
import { ALL_RIGHTS } from '../rights.ts'
import { written } from './list.ts'

/* Access control as far as there is any: every mailbox belongs to one account, and nobody else has a right to it. */

/** MYRIGHTS (RFC 4314 §3.5). */
export const myRights: Command = {
  name: 'MYRIGHTS',
  states: AUTHENTICATED,
  *run(context, reader) {
    const path = yield* mailbox(context, reader)
    reader.end()
    yield* exists(path)
    context.say(`* MYRIGHTS ${written(context, path)} ${ALL_RIGHTS}`)
    return ok('Everything')
  },
}

/** GETACL (RFC 4314 §3.3). */
export const getAcl: Command = {
  name: 'GETACL',
  states: AUTHENTICATED,
  *run(context, reader) {
    const path = yield* mailbox(context, reader)
    reader.end()
    yield* exists(path)
    context.say(`* ACL ${written(context, path)} ${owner(context)} ${ALL_RIGHTS}`)
    return ok('Nobody else')
  },
}

/** LISTRIGHTS (RFC 4314 §3.4): the owner has all rights always, others can be given none. */
export const listRights: Command = {
  name: 'LISTRIGHTS',
  states: AUTHENTICATED,
  *run(context, reader) {
    const path = yield* mailbox(context, reader)
    reader.space()
    const identifier = encodeString(reader.astring())
    reader.end()
    yield* exists(path)
    const rights = identifier === owner(context) ? ALL_RIGHTS : '""'
    context.say(`* LISTRIGHTS ${written(context, path)} ${identifier} ${rights}`)
    return ok('Nothing that could be changed')
  },
}

/** SETACL (RFC 4314 §3.1). */
export const setAcl: Command = {
  name: 'SETACL',
  states: AUTHENTICATED,
  *run(context, reader) {
    const path = yield* mailbox(context, reader)
    reader.space()
    reader.astring()
    reader.space()
    checkRights(reader.astring())
    reader.end()
    yield* exists(path)
    return notShared
  },
}

/** RFC 4314 §3.1: what is none must not pass silently, nor may letters be upper case. */
function checkRights(text: string): void {
  const rights = text.startsWith('+') || text.startsWith('-') ? text.slice(1) : text
  for (const right of rights) if (!ALL_RIGHTS.includes(right)) throw new Malformed('There is no such right')
}

/** DELETEACL (RFC 4314 §3.2). */
export const deleteAcl: Command = {
  name: 'DELETEACL',
  states: AUTHENTICATED,
  *run(context, reader) {
    const path = yield* mailbox(context, reader)
    reader.space()
    reader.astring()
    reader.end()
    yield* exists(path)
    return notShared
  },
}

const notShared = no('Mailboxes are not shared here', 'NOPERM')

const owner = ({ account }: ImapContext): string => encodeString(utf8Octets(account!))

function* mailbox(context: ImapContext, reader: Reader): Run<readonly string[]> {
  reader.space()
  const path = pathOf(reader.astring(), context.nameForm)
  if (path === undefined) throw noMailbox
  return path
}

function* exists(path: readonly string[]): Run<void> {
  if ((yield* ask({ kind: 'mailbox', path })) === null) throw noMailbox
}

const noMailbox = new Refused('NONEXISTENT', 'There is no such mailbox')
