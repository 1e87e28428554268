import { Command, CommanderError } from 'commander'
import { isMailError } from '../protocol/session/errors.ts'
import { printMail } from './mail.ts'
import { serve } from './serve.ts'
import { dataFolder, describeSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

/** Exit codes: all is well, something failed, it was asked for wrongly. */
const exitCodes = { ok: 0, failed: 1, usage: 2 } as const

/** Runs the command that the arguments ask for and gives the exit code. Errors are told on standard error, in one line. */
export async function run(terminal: Terminal): Promise<number> {
  try {
    await program(terminal).parseAsync([...terminal.arguments], { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    // Commander has said what there was to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    const isTold = isMailError(error)
    terminal.error(`posthorn: ${isTold ? error.message : String((error as Error | undefined)?.stack ?? error)}`)
    return isTold && error.code === 'config' ? exitCodes.usage : exitCodes.failed
  }
}

interface MailFlags {
  readonly data?: string
  readonly account?: string
  readonly mailbox?: string
  readonly raw?: boolean
}

function program(terminal: Terminal): Command {
  const root = new Command('posthorn')
  root
    .description('A mail server, and what belongs to it.')
    .version(version)
    .showHelpAfterError('Try --help.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.out(text.trimEnd()), writeErr: (text) => terminal.error(text.trimEnd()) })
  root
    .command('serve')
    .description('receive mail and keep it, until told to stop')
    .option('--config <file>', 'settings: JSON, or a module that exports them by default; they win over the environment')
    .addHelpText('after', `\n${describeSettings()}`)
    .action(async ({ config }: { config?: string }) => serve(config, terminal))
  root
    .command('mail')
    .description('print the mail that is kept, a JSON line a message; also while the server runs')
    .option('--data <folder>', 'the data folder of the server (default: POSTHORN_DATA, or ./data)')
    .option('--account <address>', 'of this account alone')
    .option('--mailbox <name>', 'of this mailbox alone')
    .option('--raw', 'with the octets of each message in base64')
    .action(async ({ data, account, mailbox, raw }: MailFlags) => {
      await printMail({ data: data ?? dataFolder(terminal.environment), account, mailbox, raw }, terminal)
    })
  return root
}
