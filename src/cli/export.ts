import { appendLine } from '../adapters/node/append-line.ts'
import { type ArchiveFormat, exportAccount } from '../adapters/node/index.ts'
import type { MailStore } from '../contracts/store.ts'
import { MailError } from '../protocol/session/errors.ts'
import { administer } from './accounts.ts'
import { withMethod } from './method.ts'
import { Progress } from './progress.ts'
import type { Terminal } from './terminal.ts'

/** What `posthorn export` writes, and where. */
export interface ExportSettings {
  /** The data folder. */
  readonly data: string
  /** Made where it is missing, empty where it is not. */
  readonly to: string
  readonly as?: string | undefined
  /** Password hashes and keys too. */
  readonly secrets?: boolean | undefined
}

/**
 * Writes all that is kept of an account to a folder: its mail and what is noted of its mailboxes, and its settings in
 * `account.json`. Reads the mail as it stands; it works beside a server that runs.
 */
export async function exportUser(name: string, settings: ExportSettings, terminal: Terminal): Promise<void> {
  const { data, to, secrets = false } = settings
  const format = formatOf(settings.as)
  await administer(data, terminal, async (accounts, { store, keyValue, note }) => {
    const account = await accounts.find(name)
    // Written down first: that somebody has a copy counts, and not whether it came to its end.
    const exported = account && (await accounts.export(account.id, { secrets }))
    if (!exported) throw new MailError('config', `There is no account ${name} here`)
    const { id } = exported.account
    const all = (await store.mailboxes(id)).reduce((sum, { messages }) => sum + messages, 0)
    const progress = new Progress(terminal, 'exported', all)
    try {
      const { mailboxes, messages, octets } = await exportAccount(watched(store, progress), id, { folder: to, format, keyValue })
      await appendLine(`${to}/account.json`, JSON.stringify(exported, undefined, 2))
      await note('mail.export', id, { to, format, mailboxes, messages, octets })
    } finally {
      progress.end()
    }
  })
}

function formatOf(given: string | undefined): ArchiveFormat {
  if (given === undefined || given === 'eml' || given === 'mbox') return given ?? 'eml'
  throw new MailError('config', `--as: ${JSON.stringify(given)} will not do. It takes eml or mbox`)
}

/** A store that tells how many bodies were asked for. */
function watched(store: MailStore, progress: Progress): MailStore {
  return withMethod(store, 'body', async (id) => {
    const body = await store.body(id)
    if (body) progress.add(body.size)
    return body
  })
}
