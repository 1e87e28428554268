import { readAddress } from '../accounts/address.ts'
import { readWholeFile } from '../adapters/node/whole-file.ts'
import { compileSieve, type SieveError, type SieveScripts, sieveScripts, testSieve } from '../inbound/sieve/index.ts'
import type { Address } from '../message/address.ts'
import { decodeUtf8 } from '../protocol/bytes/text.ts'
import { MailError } from '../protocol/session/errors.ts'
import { administer, type DataFolder } from './accounts.ts'
import type { Terminal } from './terminal.ts'

/** Octets of a script, and of a message to try one on. */
const MOST_SCRIPT = 65_536
const MOST_MESSAGE = 64 * 1024 * 1024

/** Looks at a script: prints what is wrong with it, a line each as compilers do. Fails where anything is. */
export async function checkScript(file: string, terminal: Terminal): Promise<void> {
  const { errors } = compileSieve(await readWholeFile(file, MOST_SCRIPT))
  refuse(file, errors, terminal)
}

/** Whom a message is from and for when a script is tried on it. */
export interface TestFlags {
  readonly from?: string
  readonly to?: string
}

/** Prints what a script would do with a message, and why, as JSON. Nothing is done. */
export async function tryScript(script: string, message: string, flags: TestFlags, terminal: Terminal): Promise<void> {
  const { from = '', to } = flags
  const tested = await testSieve(await readWholeFile(script, MOST_SCRIPT), await readWholeFile(message, MOST_MESSAGE), {
    now: terminal.clock.now(),
    sender: from === '' ? null : addressOf(from),
    ...(to === undefined ? {} : { recipient: addressOf(to) }),
  })
  terminal.out(JSON.stringify(tested, undefined, 2))
  refuse(script, tested.errors, terminal)
}

/** Puts a script into an account, if nothing is wrong with it. */
export async function putScript(
  data: string, account: string, name: string, file: string, activate: boolean, terminal: Terminal,
): Promise<void> {
  const octets = await readWholeFile(file, MOST_SCRIPT)
  // What is no UTF-8 is refused with the reason.
  refuse(file, compileSieve(octets).errors, terminal)
  await withScripts(data, account, terminal, async (scripts, id, note) => {
    await scripts.put(id, name, decodeUtf8(octets) ?? '')
    if (activate) await scripts.activate(id, name)
    await note('sieve.put', id, { name, octets: octets.length, active: activate })
  })
}

/** Prints the scripts of an account, a JSON line each. */
export async function listScripts(data: string, account: string, terminal: Terminal): Promise<void> {
  await withScripts(data, account, terminal, async (scripts, id) => {
    for (const entry of await scripts.list(id)) terminal.out(JSON.stringify(entry))
  })
}

/** Prints a script. */
export async function showScript(data: string, account: string, name: string, terminal: Terminal): Promise<void> {
  await withScripts(data, account, terminal, async (scripts, id) => {
    const script = await scripts.get(id, name)
    if (script === undefined) throw missing(name)
    await terminal.outPiece(script)
  })
}

/** Makes a script the one that runs; without a name none does. */
export async function activateScript(data: string, account: string, name: string | undefined, terminal: Terminal): Promise<void> {
  await withScripts(data, account, terminal, async (scripts, id, note) => {
    if (!(await scripts.activate(id, name))) throw missing(name ?? '')
    await note('sieve.activate', id, { name: name ?? null })
  })
}

/** Removes a script that does not run. */
export async function removeScript(data: string, account: string, name: string, terminal: Terminal): Promise<void> {
  await withScripts(data, account, terminal, async (scripts, id, note) => {
    const removed = await scripts.remove(id, name)
    if (removed === 'missing') throw missing(name)
    if (removed === 'active') throw new MailError('config', `The script ${name} is active. Activate another one, or none, before`)
    await note('sieve.remove', id, { name })
  })
}

function missing(name: string): MailError {
  return new MailError('config', `There is no script ${JSON.stringify(name)}. posthorn sieve list names those that there are`)
}

async function withScripts(
  data: string,
  account: string,
  terminal: Terminal,
  work: (scripts: SieveScripts, id: string, note: DataFolder['note']) => Promise<void>,
): Promise<void> {
  await administer(data, terminal, async (accounts, { keyValue, note }) => {
    const found = await accounts.find(account)
    if (!found) throw new MailError('config', `There is no account ${account} here`)
    await work(sieveScripts({ store: keyValue }), found.id, note)
  })
}

/** Tells errors as compilers do: file, line, column. */
function refuse(file: string, errors: readonly SieveError[], terminal: Terminal): void {
  for (const { line, column, text } of errors) terminal.error(`${file}:${line}:${column}: ${text}`)
  if (errors.length > 0) throw new MailError('permanent', `${file} is no script that could run: it has ${counted(errors.length)}`)
}

function counted(errors: number): string {
  return errors === 1 ? 'an error' : `${errors} errors`
}

function addressOf(text: string): Address {
  const address = readAddress(text)
  if (!address) throw new MailError('config', `${JSON.stringify(text)} is no address`)
  return address
}
