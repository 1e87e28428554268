import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { MailError } from '../../protocol/session/errors.ts'

const LF = 10

/**
 * Adds a line to a file, which is made, for this user alone, where it is missing. It is on disk when the promise resolves.
 * Several processes may do so at a time: each line is one write at the end of the file. What a crash left of a line stays a line
 * of its own. Rejects with a `temporary` MailError (disk full, no right to write).
 */
export async function appendLine(path: string, line: string): Promise<void> {
  try {
    const file = await open(path, 'a+', 0o600)
    try {
      const { size } = await file.stat()
      const torn = size > 0 && (await octetAt(file, size - 1)) !== LF
      await file.appendFile(`${torn ? '\n' : ''}${line}\n`)
      await file.sync()
      if (size === 0) await flushFolder(dirname(path))
    } finally {
      await file.close()
    }
  } catch (cause) {
    throw new MailError('temporary', `${path} cannot be written to: ${(cause as Error).message}`, { cause })
  }
}

async function octetAt(file: FileHandle, position: number): Promise<number | undefined> {
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position)
  return buffer[0]
}

/** The name of a new file is not on disk before its folder is. Windows cannot flush a folder and needs not. */
async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
