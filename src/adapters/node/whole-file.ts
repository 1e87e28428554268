import { open } from 'node:fs/promises'
import { MailError } from '../../protocol/session/errors.ts'

/**
 * The octets of a file that somebody has named, up to so many.
 *
 * @throws MailError `config` that names the file and says why it cannot be read
 */
export async function readWholeFile(path: string, most: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r')
    try {
      const { size } = await file.stat()
      if (size > most) throw new Error(`it is larger than ${most} octets`)
      return await file.readFile()
    } finally {
      await file.close()
    }
  } catch (cause) {
    const isMissing = (cause as { code?: unknown }).code === 'ENOENT'
    const why = isMissing ? 'there is no such file' : cause instanceof Error ? cause.message : String(cause)
    throw new MailError('config', `${path} cannot be read: ${why}`, { cause })
  }
}
