import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { addresses } from '../message/odd/addresses.ts'
import { containers } from '../message/odd/containers.ts'
import { content } from '../message/odd/content.ts'
import { delimiters } from '../message/odd/delimiters.ts'
import { headers } from '../message/odd/headers.ts'

/** A message to be stored. */
export interface Sample {
  readonly name: string
  /** Octets as code units. */
  readonly octets: string
}

/** Where real and odd mail of others lies, which is not kept here. */
const folder = resolve(process.env['POSTHORN_CORPORA'] ?? '../shared/corpora', 'messages')

/** Licences and keys that lie beside the messages. */
const noMessage = /(?:^|\/)(?:LICENSE[^/]*|README[^/]*|[^/]*\.(?:pub|tinydns|bind9))$/

/** Messages of others, with lines that end in CRLF; none where they are not there. */
export function messagesOfOthers(): Sample[] {
  if (!existsSync(folder)) {
    console.warn(`skipped: no messages in ${folder} (set POSTHORN_CORPORA)`)
    return []
  }
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && !noMessage.test(path))
    .sort()
    .map((path) => ({ name: relative(folder, path), octets: stored(readFileSync(path, 'latin1')) }))
}

/** Odd messages that were written for the tests of `message/`. */
export function oddMessages(): Sample[] {
  return [...addresses, ...containers, ...content, ...delimiters, ...headers]
    .map(({ name, message }) => ({ name: `odd: ${name}`, octets: stored(message) }))
}

/** Without the line that an mbox begins it with; a line ends in CRLF, which is what Dovecot makes of all of them. */
function stored(text: string): string {
  return text.replace(/^From .*\r?\n/, '').replace(/\r?\n/g, '\r\n')
}
