/** The part of mailparser that is used; the package has no types of its own. */
declare module 'mailparser' {
  import type { Transform } from 'node:stream'

  /** Takes a message in; gives its text last, as one object. */
  export class MailParser extends Transform {
    constructor(options: { readonly skipTextToHtml?: boolean; readonly skipImageLinks?: boolean })
  }
}
