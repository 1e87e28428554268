import { Command, CommanderError } from 'commander'
import { isMailError } from '../protocol/session/errors.ts'
import { type AccountDeed, addUser, changeDomain, changeUser, listDomains, listUsers } from './accounts.ts'
import { type DnsOptions, printRecords } from './dns.ts'
import { exportUser, type ExportSettings } from './export.ts'
import { importMail, type ImportSettings } from './import.ts'
import { printMail } from './mail.ts'
import { addQueueCommands } from './queue-program.ts'
import { serve } from './serve.ts'
import { dataFlag as data, dataFolder, describeSettings } from './settings.ts'
import { addSieveCommands } from './sieve-program.ts'
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
    .description('take mail and keep it, until told to stop')
    .option('--config <file>', 'settings: JSON, or a module that exports them by default; they win over the environment')
    .addHelpText('after', `\n${describeSettings()}`)
    .action(async ({ config }: { config?: string }) => serve(config, terminal))
  root
    .command('mail')
    .description('print the mail that is kept, a JSON line a message; also while the server runs')
    .option(...data)
    .option('--account <address>', 'of this account alone')
    .option('--mailbox <name>', 'of this mailbox alone')
    .option('--raw', 'with the octets of each message in base64')
    .action(async ({ data, account, mailbox, raw }: MailFlags) => {
      await printMail({ data: data ?? dataFolder(terminal.environment), account, mailbox, raw }, terminal)
    })
  root
    .command('dns')
    .description('print the DNS records to publish for the domains, as a zone file; also while the server runs')
    .option('--config <file>', 'the settings of the server, as for serve')
    .option(...data)
    .action(async (flags: DnsOptions) => printRecords(flags, terminal))
  addArchiveCommands(root, terminal)
  addUserCommands(root, terminal)
  addDomainCommands(root, terminal)
  addQueueCommands(root, terminal)
  addSieveCommands(root, terminal)
  return root
}

interface DataFlag {
  readonly data?: string
}

function addArchiveCommands(root: Command, terminal: Terminal): void {
  const folder = (flags: DataFlag): string => flags.data ?? dataFolder(terminal.environment)
  root
    .command('export <account>')
    .description('write mail, annotations and settings of an account to a folder; also while the server runs')
    .requiredOption('--to <folder>', 'the folder: a new one, or an empty one')
    .option('--as <format>', 'eml: a file a message, octet by octet; mbox: a file a mailbox, for other programs', 'eml')
    .option('--secrets', 'its password hashes too: for another server, and nobody else')
    .option(...data)
    .action(async (account: string, flags: Omit<ExportSettings, 'data'> & DataFlag) =>
      exportUser(account, { ...flags, data: folder(flags) }, terminal))
  root
    .command('import <account>')
    .description('add mail to an account; what is there already is not added again; also while the server runs')
    .requiredOption('--from <path>', 'what export wrote, annotations too; an mbox file, .eml files or a Maildir')
    .option('--mailbox <name>', 'where it goes: INBOX (the default), Archive/2026')
    .option(...data)
    .action(async (account: string, flags: Omit<ImportSettings, 'data'> & DataFlag) =>
      importMail(account, { ...flags, data: folder(flags) }, terminal))
}

interface UserFlags {
  readonly data?: string
  readonly quota?: string
  readonly admin?: boolean
}

function addUserCommands(root: Command, terminal: Terminal): void {
  const user = root.command('user').description('accounts: whose mail is kept; also while the server runs')
  const folder = (flags: UserFlags): string => flags.data ?? dataFolder(terminal.environment)
  user
    .command('add <address>')
    .description('make an account; its password is typed, or a line of standard input')
    .option(...data)
    .option('--quota <size>', 'how much it may hold: octets, such as 500MB or 2GiB')
    .option('--admin', 'it may administer the server')
    .action(async (address: string, flags: UserFlags) => addUser(folder(flags), address, flags, terminal))
  user
    .command('list')
    .description('print the accounts, a JSON line each')
    .option(...data)
    .action(async (flags: UserFlags) => listUsers(folder(flags), terminal))
  const deeds: readonly (readonly [AccountDeed, string])[] = [
    ['passwd', 'set a new password, typed or a line of standard input'],
    ['disable', 'let nobody log in, and refuse mail; what there is stays'],
    ['enable', 'undo that'],
  ]
  for (const [deed, description] of deeds) {
    user
      .command(`${deed} <account>`)
      .description(description)
      .option(...data)
      .action(async (account: string, flags: UserFlags) => changeUser(folder(flags), deed, account, terminal))
  }
  user
    .command('remove <account>')
    .description('remove an account with all its mail')
    .option(...data)
    .requiredOption('--erase-mail', 'yes, its mail too')
    .action(async (account: string, flags: UserFlags) => changeUser(folder(flags), 'remove', account, terminal))
}

function addDomainCommands(root: Command, terminal: Terminal): void {
  const domain = root.command('domain').description('domains whose mail is taken; also while the server runs')
  const folder = (flags: UserFlags): string => flags.data ?? dataFolder(terminal.environment)
  for (const deed of ['add', 'remove'] as const) {
    domain
      .command(`${deed} <name>`)
      .description(deed === 'add' ? 'take mail for a domain' : 'no longer; it must have no accounts left')
      .option(...data)
      .action(async (name: string, flags: UserFlags) => changeDomain(folder(flags), deed, name, terminal))
  }
  domain
    .command('list')
    .description('print the domains, a JSON line each')
    .option(...data)
    .action(async (flags: UserFlags) => listDomains(folder(flags), terminal))
}
