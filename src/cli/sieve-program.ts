import type { Command } from 'commander'
import { dataFlag, dataFolder } from './settings.ts'
import {
  activateScript, checkScript, listScripts, putScript, removeScript, showScript, type TestFlags, tryScript,
} from './sieve.ts'
import type { Terminal } from './terminal.ts'

interface DataFlag {
  readonly data?: string
}

/** Adds `posthorn sieve`. */
export function addSieveCommands(root: Command, terminal: Terminal): void {
  const sieve = root.command('sieve').description('scripts by which accounts sort their mail; also while the server runs')
  const folder = ({ data }: DataFlag): string => data ?? dataFolder(terminal.environment)
  sieve
    .command('check <script>')
    .description('tell what is wrong with a script in a file, by line and column')
    .action(async (script: string) => checkScript(script, terminal))
  sieve
    .command('test <script> <message>')
    .description('print what a script would do with a message, and why, as JSON; both are files')
    .option('--from <address>', 'the sender of its envelope (default: the null sender)')
    .option('--to <address>', 'the recipient that it came to')
    .action(async (script: string, message: string, flags: TestFlags) => tryScript(script, message, flags, terminal))
  sieve
    .command('put <account> <name> <script>')
    .description('put a script into an account, if nothing is wrong with it; one of that name is replaced')
    .option('--activate', 'it is to run from now on')
    .option(...dataFlag)
    .action(async (account: string, name: string, script: string, flags: DataFlag & { readonly activate?: boolean }) =>
      putScript(folder(flags), account, name, script, flags.activate ?? false, terminal))
  sieve
    .command('list <account>')
    .description('print the scripts of an account, a JSON line each')
    .option(...dataFlag)
    .action(async (account: string, flags: DataFlag) => listScripts(folder(flags), account, terminal))
  sieve
    .command('show <account> <name>')
    .description('print a script')
    .option(...dataFlag)
    .action(async (account: string, name: string, flags: DataFlag) => showScript(folder(flags), account, name, terminal))
  sieve
    .command('activate <account> [name]')
    .description('have that script run and no other; without a name, none')
    .option(...dataFlag)
    .action(async (account: string, name: string | undefined, flags: DataFlag) =>
      activateScript(folder(flags), account, name, terminal))
  sieve
    .command('remove <account> <name>')
    .description('remove a script that is not active')
    .option(...dataFlag)
    .action(async (account: string, name: string, flags: DataFlag) => removeScript(folder(flags), account, name, terminal))
}
