import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MailError } from '../../protocol/session/errors.ts'

/**
 * What a file of settings holds: the value of a JSON file, or what a module (any other extension) exports by default. Whether
 * it makes sense is for the caller to find out.
 *
 * @throws MailError `config` that names the file and says why it cannot be read
 */
export async function readSettingsFile(path: string): Promise<unknown> {
  try {
    if (path.endsWith('.json')) return JSON.parse(withoutMark(await readFile(path, 'utf8'))) as unknown
    return ((await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown }).default
  } catch (cause) {
    const isMissing = (cause as { code?: unknown }).code === 'ENOENT'
    const why = isMissing ? 'there is no such file' : cause instanceof Error ? cause.message : String(cause)
    throw new MailError('config', `${path} cannot be read: ${why}`, { cause })
  }
}

/** Without the byte order mark that some editors put first. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}
