import type { Command } from 'commander'
import { countQueue, listQueue, orderQueue, type OrderFlags, type QueueDeed, type QueueFlags, showQueued } from './queue.ts'
import { dataFlag, dataFolder } from './settings.ts'
import type { Terminal } from './terminal.ts'

interface DataFlag {
  readonly data?: string
}

const deeds: readonly (readonly [QueueDeed, string])[] = [
  ['retry', 'try it now; what is held stays so'],
  ['hold', 'keep it until it is released'],
  ['release', 'let it go its way again'],
  ['drop', 'remove it, and tell nobody'],
  ['bounce', 'give it up, and tell its sender'],
]

/** Adds `posthorn queue`. */
export function addQueueCommands(root: Command, terminal: Terminal): void {
  const queue = root.command('queue').description('mail that is on its way to others; also while the server runs')
  const folder = (data: string | undefined): string => data ?? dataFolder(terminal.environment)
  choosing(queue.command('list [message...]').description('print what waits, a JSON line for each message and destination'))
    .action(async (messages: string[], { data, ...flags }: QueueFlags & DataFlag) =>
      listQueue(folder(data), messages, flags, terminal))
  queue
    .command('show <message>')
    .description('print a message, as a JSON line: its recipients, and what is still to be done')
    .option('--raw', 'with its octets in base64')
    .option(...dataFlag)
    .action(async (message: string, { data, raw = false }: DataFlag & { readonly raw?: boolean }) =>
      showQueued(folder(data), message, raw, terminal))
  queue
    .command('counts')
    .description('print how much waits, as a JSON line')
    .option(...dataFlag)
    .action(async ({ data }: DataFlag) => countQueue(folder(data), terminal))
  for (const [deed, description] of deeds) {
    const command = choosing(queue.command(`${deed} [message...]`).description(description))
    command.option('--all', 'everything there is')
    if (deed === 'hold') command.option('--why <text>', 'for whoever looks')
    if (deed === 'bounce') command.option('--why <text>', 'for the sender')
    command.action(async (messages: string[], { data, ...flags }: OrderFlags & DataFlag) =>
      orderQueue(folder(data), deed, messages, flags, terminal))
  }
}

/** The command, with what says which mail: all that is given has to fit. */
function choosing(command: Command): Command {
  return command
    .option('--destination <name>', 'on its way there, such as mx:example.org')
    .option('--account <id>', 'submitted by this account')
    .option('--sender <text>', "a part of the sender's address; empty for the null sender")
    .option('--recipient <text>', 'a part of the address of a recipient')
    .option('--state <state>', 'waiting, leased (somebody is at work on it) or held')
    .option(...dataFlag)
}
