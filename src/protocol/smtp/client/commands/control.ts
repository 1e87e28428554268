import type { Slot } from '../context.ts'

/** QUIT (RFC 5321 §4.1.1.10): whatever the server says, it is over. */
export const quit: Slot = { phase: 'idle', patience: 'quit', goesOn: true, settle: (context) => context.enter('closed') }

/** NOOP, by which a connection is kept from being closed. */
export const noop: Slot = { phase: 'idle', patience: 'command', settle: () => {} }
