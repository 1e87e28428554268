import type { Command } from '../context.ts'
import { deleteAcl, getAcl, listRights, myRights, setAcl } from './acl.ts'
import { append } from './append.ts'
import { authenticate } from './authenticate.ts'
import { cancelUpdate } from './cancel-update.ts'
import { capability } from './capability.ts'
import { close, unselect } from './close.ts'
import { compress } from './compress.ts'
import { copy, move, uidCopy, uidMove } from './copy.ts'
import { enable } from './enable.ts'
import { expunge, uidExpunge } from './expunge.ts'
import { fetchMessages, uidFetch } from './fetch.ts'
import { id } from './id.ts'
import { idle } from './idle.ts'
import { list, lsub } from './list.ts'
import { login } from './login.ts'
import { create, namespace, remove, rename, subscribe, unsubscribe } from './mailboxes.ts'
import { getMetadata, setMetadata } from './metadata.ts'
import { check, logout, noop } from './noop.ts'
import { notify } from './notify.ts'
import { getQuota, getQuotaRoot, setQuota } from './quota.ts'
import { esearch } from './esearch.ts'
import { replace, uidReplace } from './replace.ts'
import { examine, select } from './select.ts'
import { search, uidSearch } from './search.ts'
import { sort, uidSort } from './sort.ts'
import { startTls } from './starttls.ts'
import { status } from './status.ts'
import { store, uidStore } from './store.ts'
import { thread, uidThread } from './thread.ts'
import { unauthenticate } from './unauthenticate.ts'

const all: readonly Command[] = [
  capability, noop, logout, id, startTls, authenticate, login,
  enable, select, examine, create, remove, rename, subscribe, unsubscribe, list, lsub, namespace, status, append, idle,
  compress, unauthenticate, esearch, cancelUpdate, notify,
  getQuota, getQuotaRoot, setQuota, myRights, getAcl, listRights, setAcl, deleteAcl, getMetadata, setMetadata,
  check, close, unselect, expunge, search, sort, thread, fetchMessages, store, copy, move, replace,
  uidExpunge, uidSearch, uidSort, uidThread, uidFetch, uidStore, uidCopy, uidMove, uidReplace,
]

const commands: ReadonlyMap<string, Command> = new Map(all.map((command) => [command.name, command]))

/** The command of that name, in upper case. */
export function commandNamed(name: string): Command | undefined {
  return commands.get(name)
}

/** Whether the command of that name takes its literals in by itself. */
export function streams(name: string): boolean {
  return commands.get(name)?.streams ?? false
}
