import type { Command } from '../context.ts'
import { authenticate } from './authenticate.ts'
import { capability } from './capability.ts'
import { close, unselect } from './close.ts'
import { enable } from './enable.ts'
import { examine, select } from './select.ts'
import { id } from './id.ts'
import { idle } from './idle.ts'
import { login } from './login.ts'
import { check, logout, noop } from './noop.ts'
import { startTls } from './starttls.ts'

const commands: ReadonlyMap<string, Command> = new Map(
  [authenticate, capability, check, close, enable, examine, id, idle, login, logout, noop, select, startTls, unselect].map(
    (command) => [command.name, command] as const,
  ),
)

/** The command of that name, in upper case. */
export function commandNamed(name: string): Command | undefined {
  return commands.get(name)
}

/** Whether the command of that name takes its literals in by itself. */
export function streams(name: string): boolean {
  return commands.get(name)?.streams ?? false
}
