/** The test kit for vitest: a mailbox for each test, and matchers that wait for mail. */
import { beforeAll, chai, expect, test as base, type TestAPI } from 'vitest'
import { preload } from '../adapters/nodemailer/transport.ts'
import type { MailMatch } from './mail-match.ts'
import type { MailboxMail } from './mailbox-mail.ts'
import { type Patience, type TestMailbox, testMailbox, type TestMailboxOptions } from './mailbox.ts'

export { expect }
export type { MailMatch, TextMatch } from './mail-match.ts'
export type { MailboxMail } from './mailbox-mail.ts'
export type { Patience, TestMailbox, TestMailboxOptions } from './mailbox.ts'

beforeAll(preload)

/** What each test is given that asks for it. */
export interface MailFixtures {
  /** A mailbox of the test's own, closed when it is over. */
  readonly mailbox: TestMailbox
  /** How it is made; to be changed with `test.extend({ mailboxOptions: … })`. */
  readonly mailboxOptions: TestMailboxOptions
}

/** vitest's `test` with a {@link MailFixtures.mailbox} for each test that asks for one. */
export const test: TestAPI<MailFixtures> = base.extend<MailFixtures>({
  mailboxOptions: {},
  mailbox: async ({ mailboxOptions }, use) => {
    const mailbox = testMailbox(mailboxOptions)
    await use(mailbox)
    mailbox.close()
  },
})

/** Matchers for mailboxes. Each gives a promise: await it. */
export interface MailMatchers {
  /**
   * A mail that matches has come, or comes within so many milliseconds (default 2,000). Under `not`: none that matches is
   * there, and none comes within so many (default 50).
   */
  toReceive(match?: MailMatch & Patience): Promise<MailboxMail>
  /** Nothing is there, and nothing comes within so many milliseconds (default 50). */
  toReceiveNothing(options?: Patience): Promise<void>
}

declare module 'vitest' {
  interface Matchers<T> extends MailMatchers {}
}

/** What a matcher gives back. */
interface Judgement {
  readonly pass: boolean
  readonly message: () => string
}

const judged = (isNot: boolean, waiting: Promise<unknown>): Promise<Judgement> =>
  waiting.then(
    () => ({ pass: !isNot, message: () => '' }),
    (error: Error) => ({ pass: isNot, message: () => error.message }),
  )

expect.extend({
  toReceive(mailbox: TestMailbox, { within, ...match }: MailMatch & Patience = {}): Promise<Judgement> {
    const patience = within === undefined ? {} : { within }
    return judged(this.isNot, this.isNot ? mailbox.receivesNothing(match, patience) : mailbox.receives(match, patience))
  },
  toReceiveNothing(mailbox: TestMailbox, options: Patience = {}): Promise<Judgement> {
    return judged(this.isNot, this.isNot ? mailbox.receives({}, options) : mailbox.receivesNothing({}, options))
  },
})

// A matcher gives nothing back of its own accord; this one gives the mail that it has found.
chai.use(({ Assertion }, { flag, overwriteMethod }) => {
  type Matcher = (this: object, match?: MailMatch & Patience) => Promise<unknown>
  overwriteMethod(Assertion.prototype, 'toReceive', (judge: Matcher): Matcher => {
    return async function (match = {}) {
      await judge.call(this, match)
      return flag(this, 'negate') ? undefined : (flag(this, 'object') as TestMailbox).receives(match)
    }
  })
})
