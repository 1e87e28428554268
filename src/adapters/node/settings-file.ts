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
    if (path.endsWith('.json')) return parsed(withoutMark(await readFile(path, 'utf8')))
    return ((await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown }).default
  } catch (cause) {
    const isMissing = (cause as { code?: unknown }).code === 'ENOENT'
    const why = isMissing ? 'there is no such file' : cause instanceof Error ? cause.message : String(cause)
    throw new MailError('config', `${path} cannot be read: ${why}`, { cause })
  }
}

/** What JSON says. An error tells where it is wrong, and quotes nothing: there are passwords in such files. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    const [, at] = /at position (\d+)/.exec(String(error)) ?? []
    const where = at === undefined ? '' : ` (line ${text.slice(0, Number(at)).split('\n').length})`
    throw new Error(`it is no JSON${where}`)
  }
}

/** Without the byte order mark that some editors put first. */
function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}
