import { join } from 'node:path'
import type { Body } from '../../contracts/bodies.ts'
import type { NewMessage } from '../../contracts/store.ts'
import type { Box } from './box.ts'
import { randomHex } from './digest.ts'
import { formatFacts, type Facts } from './facts.ts'
import { withSizes } from './file-name.ts'
import { BareLfs, counted } from './octets.ts'
import type { Shared } from './shared.ts'
import type { Message } from './state.ts'

/** A message whose octets are in a file in `tmp`, flushed. */
export interface Staged {
  readonly path: string
  /** Octets if every line ended in CRLF. */
  readonly crlfOctets: number
}

/** What is known of a body that was given before, perhaps to another mailbox. */
interface Share {
  readonly facts: Facts
  readonly id: string
  readonly record: Uint8Array
  staged: Promise<Staged> | undefined
  users: number
  /** Where the last of them has put it. */
  placed: { readonly box: Box; readonly uid: number; readonly crlfOctets: number } | undefined
}

/** What one append gets. */
export interface Stage extends Staged {
  readonly id: string
  readonly record: Uint8Array
}

/**
 * Writes bodies to `tmp`, one file however many mailboxes get it: the octets are on the disk once, under as many names as there
 * are mailboxes.
 */
export class Staging {
  readonly #shared: Shared
  readonly #shares = new WeakMap<Body, Share>()

  constructor(shared: Shared) {
    this.#shared = shared
  }

  /** Runs with the octets in a file. It is gone afterwards, unless others use it still. */
  async with(box: Box, message: NewMessage, run: (stage: Stage) => Promise<Message>): Promise<Message> {
    const share = this.#shareOf(box, message)
    share.users++
    try {
      const staged = await this.#stage(box, message, share)
      const added = await run({ ...staged, id: share.id, record: share.record })
      share.placed = { box, uid: added.uid, crlfOctets: staged.crlfOctets }
      return added
    } finally {
      if (--share.users === 0) {
        const { staged } = share
        share.staged = undefined
        // What cannot be removed now is swept with what else is left in `tmp`.
        await staged?.then(({ path }) => this.#shared.disk.remove(path)).catch(() => undefined)
      }
    }
  }

  #shareOf(box: Box, { body, facts }: NewMessage): Share {
    const known = this.#shares.get(body)
    if (known?.facts === facts) return known
    const id = box.owner.tag + randomHex(16)
    const share: Share = { facts, id, record: formatFacts(facts), staged: undefined, users: 0, placed: undefined }
    this.#shares.set(body, share)
    return share
  }

  async #stage(box: Box, message: NewMessage, share: Share): Promise<Staged> {
    share.staged ??= this.#write(box, message, share)
    const { staged } = share
    try {
      return await staged
    } catch (error) {
      if (share.staged === staged) share.staged = undefined
      throw error
    }
  }

  async #write(box: Box, { body, received }: NewMessage, { placed }: Share): Promise<Staged> {
    const { disk, names, now } = this.#shared
    const path = join(box.dir, 'tmp', names.next(now()))
    const before = placed && await linkPlaced(disk, placed, path)
    if (before) return before
    if (body.file !== undefined && await linkFile(disk, body, path)) {
      const bare = new BareLfs()
      for await (const chunk of disk.stream(path, 0, body.size)) bare.push(chunk)
      return { path, crlfOctets: body.size + bare.count }
    }
    const bare = new BareLfs()
    try {
      await disk.create(path, counted(body, bare), false)
      // Other programs take the time of the file for the date of the message.
      await disk.setTime(path, received).catch(() => undefined)
      await disk.flush(path)
    } catch (error) {
      await disk.remove(path).catch(() => undefined)
      throw error
    }
    return { path, crlfOctets: body.size + bare.count }
  }
}

/** The name of a message, with its sizes. */
export function baseOf(shared: Shared, octets: number, crlfOctets: number): string {
  return withSizes(shared.names.next(shared.now()), octets, crlfOctets)
}

async function linkPlaced(
  disk: Shared['disk'],
  { box, uid, crlfOctets }: NonNullable<Share['placed']>,
  path: string,
): Promise<Staged | undefined> {
  try {
    const message = (await box.view()).at(uid)
    if (!message) return undefined
    await disk.link(box.fileOf(message), path)
    return { path, crlfOctets }
  } catch {
    return undefined
  }
}

/** A second name for a body that is a file. `false` where links do not work: then the octets are copied. */
async function linkFile(disk: Shared['disk'], { file, size }: Body, path: string): Promise<boolean> {
  try {
    if ((await disk.stat(file as string))?.size !== size) return false
    await disk.link(file as string, path)
    // Its store may not have flushed it (`durability: 'process'`).
    await disk.flush(path)
    return true
  } catch {
    await disk.remove(path).catch(() => undefined)
    return false
  }
}
