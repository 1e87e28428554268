import { browseMaildir } from '../adapters/maildir/browse.ts'
import { importAccount, importEml, importMbox } from '../adapters/node/index.ts'
import { type MailSource, mailSource } from '../adapters/node/mail-source.ts'
import type { MailboxId } from '../contracts/mailbox.ts'
import type { MailStore } from '../contracts/store.ts'
import { hasControl } from '../protocol/bytes/text.ts'
import { MailError } from '../protocol/session/errors.ts'
import { administer, type DataFolder } from './accounts.ts'
import { Arrival } from './import-arrival.ts'
import { Progress } from './progress.ts'
import type { Terminal } from './terminal.ts'

/** What `posthorn import` takes, and where it puts it. */
export interface ImportSettings {
  /** The data folder. */
  readonly data: string
  readonly from: string
  /** Where it goes, `Archive/2026`; what lies in folders goes below it. Default: INBOX. */
  readonly mailbox?: string | undefined
}

/**
 * Adds mail to an account: of a folder that `posthorn export` wrote, of an mbox file, of files `*.eml`, of a Maildir. Nothing of
 * what is there changes, and what is there already is not added again: an import that was cut short is finished by another. Works
 * beside a server that runs. Quotas are not looked at: whoever imports has decided that it is to be kept.
 */
export async function importMail(name: string, { data, from, mailbox }: ImportSettings, terminal: Terminal): Promise<void> {
  const source = await mailSource(from)
  const target = mailbox === undefined ? undefined : pathOf(mailbox)
  if (target && source.kind === 'archive') {
    throw new MailError('config', `--mailbox: what posthorn export wrote goes to the mailboxes that it came from. Leave it out`)
  }
  await administer(data, terminal, async (accounts, { store, keyValue, note }) => {
    const account = await accounts.find(name)
    if (!account) throw new MailError('config', `There is no account ${name} here`)
    const progress = new Progress(terminal, 'imported')
    const arrival = new Arrival(store, progress)
    try {
      await takeFrom(source, from, { store: arrival.store, keyValue }, new Mailboxes(arrival.store, account.id, target))
      await arrival.settled()
    } finally {
      await arrival.idle()
      progress.end()
      const { messages, octets } = progress
      await note('mail.import', account.id, { from, kind: source.kind, messages, octets, alreadyThere: arrival.alreadyThere })
    }
  })
}

/** Where mail and notes go. */
type Target = Pick<DataFolder, 'store' | 'keyValue'>

async function takeFrom(source: MailSource, from: string, { store, keyValue }: Target, into: Mailboxes): Promise<void> {
  switch (source.kind) {
    case 'archive':
      await importAccount(store, into.account, { folder: from, keyValue })
      return
    case 'mbox':
      await importMbox(store, await into.below([]), from)
      return
    case 'maildir':
      return importMaildir(store, into, from)
    case 'eml':
      for (const { file, path } of source.files) await importEml(store, await into.below(path), file)
  }
}

async function importMaildir(store: MailStore, into: Mailboxes, folder: string): Promise<void> {
  for (const mailbox of await browseMaildir(folder)) {
    const [top, ...rest] = mailbox.path
    const id = await into.below(top === 'INBOX' && rest.length === 0 ? [] : mailbox.path)
    for await (const { file, flags } of mailbox.messages()) await importEml(store, id, file, { flags })
  }
}

/** RFC 9051 §5.1: INBOX in any case. */
function pathOf(name: string): readonly string[] {
  const path = name.normalize('NFC').split('/')
  if (path.includes('') || hasControl(name)) {
    throw new MailError('config', `--mailbox: ${JSON.stringify(name)} is no mailbox. It takes INBOX, or Archive/2026`)
  }
  return path[0]!.toUpperCase() === 'INBOX' ? ['INBOX', ...path.slice(1)] : path
}

/** The mailboxes that mail goes to, made where they are missing. */
class Mailboxes {
  readonly account: string
  readonly #store: MailStore
  readonly #top: readonly string[] | undefined
  readonly #known = new Map<string, MailboxId>()

  /** `top`: under which path they are. Without it the first is INBOX, and the others stand beside it. */
  constructor(store: MailStore, account: string, top: readonly string[] | undefined) {
    this.#store = store
    this.account = account
    this.#top = top
  }

  async below(names: readonly string[]): Promise<MailboxId> {
    const path = [...(this.#top ?? (names.length === 0 ? ['INBOX'] : [])), ...names.map((name) => name.normalize('NFC'))]
    const key = JSON.stringify(path)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const there = (await this.#store.mailboxes(this.account)).find((mailbox) => JSON.stringify(mailbox.path) === key)
    // Subscribed first: what fails between leaves a mailbox to be made, and not one that nobody sees.
    if (!there) await this.#store.subscribe?.(this.account, path, true)
    const { id } = there ?? await this.#store.create(this.account, path)
    this.#known.set(key, id)
    return id
  }
}
