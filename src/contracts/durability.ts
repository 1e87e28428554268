/**
 * What an adapter's "done" is worth. Each includes those before it.
 *
 * - `none`: gone with the process
 * - `process`: survives a crash of this process, not of the machine
 * - `disk`: flushed to stable storage before the promise resolved; survives power loss as far as the disk tells the truth
 * - `replicated`: on stable storage of more than one machine
 */
export type Durability = 'none' | 'process' | 'disk' | 'replicated'
