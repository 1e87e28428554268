import { readSettingsFile } from '../adapters/node/settings-file.ts'
import { type Logger, logger } from '../observe/logger.ts'
import { type ReferenceServer, type ReferenceSettings, startReference } from '../server/reference.ts'
import { messageLine, readyLine } from './events.ts'
import { jsonLog } from './log.ts'
import { readSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

/** Milliseconds that conversations get to come to their end. */
const GRACE = 30_000

/** Runs the reference server until it is told to stop. Throws a MailError, `config` or `unavailable`, where it cannot start. */
export async function serve(config: string | undefined, terminal: Terminal): Promise<void> {
  const file = config === undefined ? undefined : { path: config, content: await readSettingsFile(config) }
  const { reference, log: level } = readSettings(terminal.environment, file)
  const { clock } = terminal
  const log = jsonLog(level, () => clock.now(), (line) => terminal.error(line))
  // From here on: a signal while it starts must not be lost.
  const signal = terminal.stopped()
  const server = await startReference(reference, {
    stored: (message, to, stored) => terminal.out(messageLine(message, to, stored)),
    // Standard output tells of each message already.
    observe: logger(log, { level, levels: { accepted: 'debug' } }),
  }, clock)
  terminal.out(readyLine(server.ports, terminal.pid, version))
  greet(reference, server, log, terminal)
  log.info({ signal: await signal }, 'stopping')
  await server.stop(GRACE)
}

/** Tells a newcomer what to do next: on a screen as it is to be pasted, in a log as a line like any other. */
function greet({ users, data, bind }: ReferenceSettings, { ports }: ReferenceServer, log: Logger, terminal: Terminal): void {
  const [user] = users
  const { mx } = ports
  const read = `npx posthorn mail${data === './data' ? '' : ` --data ${quoted(data)}`}`
  if (user === undefined || mx === undefined) return log.info({ ports, read }, 'ready')
  const to = `${user.local}@${user.domain}`
  const envelope = `--mail-from you@elsewhere.test --mail-rcpt ${quoted(to)}`
  const send = `echo 'Subject: It works' | curl --crlf -T - smtp://${reachable(bind)}:${mx} ${envelope}`
  if (!terminal.watched) return log.info({ ports, send, read }, 'ready')
  terminal.error(`\nposthorn ${version} takes mail for ${to} on port ${mx}. Send some:\n\n  ${send}\n`)
  terminal.error(`and read it:\n\n  ${read}\n`)
}

/** An address that this machine reaches itself by. */
function reachable(bind: string): string {
  if (bind === '0.0.0.0') return '127.0.0.1'
  if (bind === '::') return '[::1]'
  return bind.includes(':') ? `[${bind}]` : bind
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@.,:/+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
