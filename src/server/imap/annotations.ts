import { annotationKey, formatAnnotations, type KeptAnnotations, parseAnnotations } from '../../contracts/annotations.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import { MailError } from '../../protocol/session/errors.ts'
import type { Refusal } from '../../protocol/imap/index.ts'

/** Attempts where several clients write at once: of any two, one gets through. */
const MOST_ATTEMPTS = 20

/** What is noted of mailboxes and of accounts, a key for each (RFC 5464). */
export class Annotations {
  private readonly keyValue: KeyValue
  private readonly now: () => number

  constructor(keyValue: KeyValue, now: () => number) {
    this.keyValue = keyValue
    this.now = now
  }

  /** Values by entry. `mailbox`: `undefined` for what an account has noted of the server. */
  async read(account: string, mailbox: string | undefined): Promise<KeptAnnotations> {
    return parseAnnotations(await this.keyValue.get(annotationKey(account, mailbox), this.now()))
  }

  /** Changes all or none. */
  async write(
    account: string,
    mailbox: string | undefined,
    changes: readonly (readonly [entry: string, value: string | undefined])[],
  ): Promise<true | Refusal> {
    const key = annotationKey(account, mailbox)
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const now = this.now()
      const kept = await this.keyValue.get(key, now)
      const annotations = new Map(parseAnnotations(kept))
      for (const [entry, value] of changes) {
        if (value === undefined) annotations.delete(entry)
        else annotations.set(entry, value)
      }
      const text = formatAnnotations(annotations)
      if (text === undefined) return tooMany
      if (await this.keyValue.swap(key, kept, annotations.size === 0 ? undefined : text, { now })) return true
    }
    throw new MailError('temporary', `${key} is written to by many at once`)
  }

  /** The mailbox is no more. */
  async forget(account: string, mailbox: string): Promise<void> {
    await this.keyValue.remove(annotationKey(account, mailbox), this.now())
  }
}

const tooMany: Refusal = { code: 'METADATA TOOMANY', refused: 'More than can be noted here', limit: 'annotations' }
