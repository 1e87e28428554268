import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { MailError } from '../../protocol/session/errors.ts'

/** What a thread runs. A text, not a file, so that it is there however the package is bundled. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const bcrypt = require(workerData)
parentPort.on('message', ({ password, settings }) => parentPort.postMessage(bcrypt.hashSync(password, settings)))
`

/**
 * bcryptjs, in threads: it is JavaScript, and what it calls asynchronous holds the event loop for 100 ms at a time. As many
 * threads as there are calls at once (the caller sees to that); an idle one is kept, and does not keep the process.
 */
export class BcryptThreads {
  #idle: Worker[] = []
  readonly #name: string

  /** `name` is the package's. */
  constructor(name = 'bcryptjs') {
    this.#name = name
  }

  /**
   * Hashes with the settings (version, cost, salt), in another thread.
   *
   * @throws MailError `unavailable`, which names the command that installs bcryptjs; `temporary` where the thread failed
   */
  async hash(password: string, settings: string): Promise<string> {
    const thread = this.#idle.pop() ?? new Worker(PROGRAM, { eval: true, workerData: this.#find(), execArgv: [], env: {} })
    thread.ref()
    try {
      const hash = await answered(thread, { password, settings })
      this.#rest(thread)
      return hash
    } catch (cause) {
      void thread.terminate()
      throw new MailError('temporary', `bcryptjs failed: ${(cause as Error).message}`, { cause })
    }
  }

  #rest(thread: Worker): void {
    thread.removeAllListeners()
    const gone = (): void => void (this.#idle = this.#idle.filter((one) => one !== thread))
    // Without a listener an error would end the process.
    thread.on('error', gone).on('exit', gone)
    thread.unref()
    this.#idle.push(thread)
  }

  #find(): string {
    // As an import from here would look; then from the folder that the program was started in.
    for (const place of [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json')).href]) {
      try {
        return createRequire(place).resolve(this.#name)
      } catch {
        // Said below.
      }
    }
    throw new MailError(
      'unavailable',
      `passwords() needs ${this.#name} for bcrypt, which is not installed: npm install ${this.#name}`,
    )
  }
}

function answered(thread: Worker, question: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    thread.removeAllListeners()
    thread.once('message', resolve).once('error', reject)
    thread.once('exit', () => reject(new Error('The thread has ended')))
    thread.postMessage(question)
  })
}
