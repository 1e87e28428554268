import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './children.ts'
import type { Security } from './clients.ts'
import type { Held } from './held.ts'
import { type ImapPlace, PASSWORD } from './imap-place.ts'
import { Marionette } from './marionette.ts'

/** What is read of a message without reading it. */
export interface Header {
  readonly uid: number
  readonly subject: string
  readonly author: string
  readonly id: string
  readonly octets: number
  /** Milliseconds since the Unix epoch. */
  readonly date: number
  readonly read: boolean
  readonly flagged: boolean
  readonly tags: readonly string[]
}

/** How long anything may take in it, in milliseconds: it is big, and the machine may be small. */
export const THUNDERBIRD_PATIENCE = 240_000

/** No question to a user who is not there, no word to its makers, nothing done on its own but what a test is about. */
const preferences: Readonly<Record<string, string | number | boolean>> = {
  'marionette.port': 0,
  'app.donation.eoy.version.viewed': 999,
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.update.enabled': false,
  'mail.chat.enabled': false,
  'mail.inappnotifications.enabled': false,
  'mail.provider.suppress_dialog_on_startup': true,
  'mail.rights.version': 1,
  'mail.shell.checkDefaultClient': false,
  'mail.spam.manualMark': true,
  'mail.spotlight.firstRunDone': true,
  'mail.tabs.autoHide': false,
  'mailnews.confirm.moveFoldersToTrash': false,
  'mailnews.start_page.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.proxy.type': 0,
  'services.settings.server': 'data:,#',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.unified': false,
}

const inside = readFileSync(new URL('thunderbird-inside.js', import.meta.url), 'utf8')

/** Debian's Thunderbird without a window, with a profile of its own. */
export class Thunderbird {
  readonly #marionette: Marionette
  readonly #log: string

  private constructor(marionette: Marionette, log: string) {
    this.#marionette = marionette
    this.#log = log
  }

  static async start(held: Held): Promise<Thunderbird> {
    const folder = held.folder('thunderbird')
    const lines = Object.entries(preferences).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`)
    writeFileSync(join(folder, 'user.js'), lines.join(''))
    const log = join(folder, 'imap')
    const given = ['--headless', '--no-remote', '--marionette', '--remote-allow-system-access', '--profile', folder]
    const env = { HOME: folder, MOZ_LOG: 'timestamp,sync,IMAP:4', MOZ_LOG_FILE: log, MOZ_CRASHREPORTER_DISABLE: '1' }
    const child = new Child('thunderbird', given, { env, cwd: folder, input: '' })
    held.later(() => child.stop())
    const [, port] = await child.said(/Listening on port (\d+)/, 0, THUNDERBIRD_PATIENCE)
    const marionette = await Marionette.open(Number(port), THUNDERBIRD_PATIENCE)
    held.later(() => marionette.stop())
    return new Thunderbird(marionette, `${log}.moz_log`)
  }

  /** What it and the servers said to each other, as it wrote it down: also what went through TLS and compression. */
  get log(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : ''
  }

  /** Calls a function of `thunderbird-inside.js`. An error tells what was last said on the wire. */
  async call<T = undefined>(name: string, ...given: readonly unknown[]): Promise<T> {
    const call = `${name}(${given.join(', ')})`
    return this.logged(call, this.#marionette.run<T>(`${inside}\nreturn inside.${name}(...given)`, given))
  }

  /** Where that fails, the error tells what was last said on the wire. */
  async logged<T>(what: string, work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      throw new Error(`${what}: ${(error as Error).message}\n${this.log.slice(-12_000)}`)
    }
  }

  /** Makes an account, logs in and finds its mailboxes. */
  async account(place: ImapPlace, user: string, security: Security, settings: Readonly<Record<string, boolean>>): Promise<void> {
    const port = place.port(security)
    if (security !== 'plain') {
      await this.call('trust', port, new X509Certificate(place.certificate.cert).raw.toString('base64'))
    }
    await this.call('account', user, PASSWORD, port, security, settings)
  }
}
