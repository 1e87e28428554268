import type { Command } from '../context.ts'
import { auth } from './auth.ts'
import { capa } from './capa.ts'
import { dele, rset } from './dele.ts'
import { list, stat, uidl } from './list.ts'
import { pass, user } from './login.ts'
import { noop } from './noop.ts'
import { quit } from './quit.ts'
import { retr, top } from './retr.ts'
import { stls } from './stls.ts'
import { utf8 } from './utf8.ts'

const all: readonly Command[] = [capa, user, pass, auth, stls, utf8, stat, list, uidl, retr, top, dele, rset, noop, quit]

const commands: ReadonlyMap<string, Command> = new Map(all.map((command) => [command.name, command]))

/** The command of that name, in upper case. */
export function commandNamed(name: string): Command | undefined {
  return commands.get(name)
}
