/**
 * Which accounts' maildrops are open, and by whom: one session has a maildrop at a time (RFC 1939 §4). Within one server: of what
 * another process does to the same store, and of IMAP sessions, it knows nothing, nor need it: a session works on the UIDs
 * that it has found at its beginning, and whatever is gone by then is gone.
 */
export class Maildrops {
  private readonly holders = new Map<string, object>()

  /** Takes the maildrop, if nobody has it. */
  take(account: string, holder: object): boolean {
    if (this.holders.has(account)) return false
    this.holders.set(account, holder)
    return true
  }

  /** Gives it back. Harmless where somebody else has it. */
  release(account: string, holder: object): void {
    if (this.holders.get(account) === holder) this.holders.delete(account)
  }
}
