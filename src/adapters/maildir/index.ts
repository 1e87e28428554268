/** Mail as files: Maildir++, shared with Dovecot, mutt and others. */
export { maildir } from './maildir.ts'
export type { MaildirMail, MaildirOptions } from './maildir.ts'
