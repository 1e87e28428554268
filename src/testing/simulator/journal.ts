import type { Draws } from './draws.ts'

/** Something that is to be written. */
export interface Write<Thing, Result> {
  /** Does it. What it is made of has to be there for as long as the journal: it is done again after a power loss. */
  readonly run: (thing: Thing) => Promise<Result>
  /** Told when it was done, and cannot be lost any more or others act on it. */
  readonly done?: (result: Result) => unknown
  /** It may be forgotten by a power loss although it was answered: told when that happens. */
  readonly forgotten?: (result: Result) => unknown
}

/** A write that was begun. */
export interface Begun<Result> {
  readonly run: () => Promise<Result>
  /** Whoever wanted it hears of it now: from here on it lasts, as was promised. */
  readonly answered: () => void
}

/** A write that was done. */
interface Entry<Thing> {
  /** When, for things that look at a clock. */
  readonly at: number
  readonly run: (thing: Thing) => Promise<unknown>
  readonly done: () => void
  readonly forgotten: (() => void) | undefined
}

/** How a journal behaves. */
export interface JournalOptions<Thing> {
  /** Makes an empty one. */
  readonly make: (now: () => number) => Thing
  readonly now: () => number
  /** The power may fail. */
  readonly loses: boolean
  /** Sabotage: says that something lasts which does not. */
  readonly lies?: boolean
}

/**
 * A store or a queue on a disk that may lose its power. What was answered is there afterwards; of what was not, the first so many
 * writes, as in the log of a database. What lasts is found by doing again, on an empty one, all that was written.
 */
export class Journal<Thing> {
  /** As it is now. */
  thing: Thing
  private readonly options: JournalOptions<Thing>
  private readonly entries: Entry<Thing>[] = []
  /** So many of the entries have been acted upon; of them, so many cannot be lost. */
  private acted = 0
  private lasting = 0
  private doing: Promise<unknown> = Promise.resolve()
  /** The time of what is being done again. */
  private again: number | undefined

  constructor(options: JournalOptions<Thing>) {
    this.options = options
    this.thing = this.empty()
  }

  begin<Result>({ run, done, forgotten }: Write<Thing, Result>): Begun<Result> {
    if (!this.options.loses) return { run: () => this.simply(run, done), answered: () => undefined }
    let number = 0
    return {
      // One after the other: what is done again comes to the same only in the same order.
      run: () => this.next(async () => {
        const at = this.options.now()
        const result = await run(this.thing)
        const gone = forgotten && ((): void => void forgotten(result))
        number = this.entries.push({ at, run, done: () => void done?.(result), forgotten: gone })
        return result
      }),
      answered: () => this.act(number),
    }
  }

  /** A process has ended, and nothing else: what it has written is there. */
  flush(): Promise<void> {
    return this.next(async () => this.act(this.entries.length))
  }

  /** The power fails. */
  lose(draws: Draws): Promise<number> {
    return this.next(async () => {
      const { entries } = this
      const kept = draws.between(this.lasting, entries.length)
      for (let at = this.acted; at < kept; at++) entries[at]!.done()
      const lost = entries.splice(kept)
      for (const { forgotten } of lost.slice(0, Math.max(0, this.acted - kept))) forgotten?.()
      this.acted = this.lasting = kept
      await this.replay()
      return lost.length
    })
  }

  private async simply<Result>(run: (thing: Thing) => Promise<Result>, done?: (result: Result) => unknown): Promise<Result> {
    const result = await run(this.thing)
    done?.(result)
    return result
  }

  private async replay(): Promise<void> {
    const thing = this.empty()
    for (const { at, run } of this.entries) {
      this.again = at
      await run(thing)
    }
    this.again = undefined
    this.thing = thing
  }

  private empty(): Thing {
    return this.options.make(() => this.again ?? this.options.now())
  }

  /** The first so many entries are known to somebody. What may be forgotten makes nothing last but what came before it. */
  private act(count: number): void {
    const { entries } = this
    for (; this.acted < count; this.acted++) entries[this.acted]!.done()
    let lasting = count
    while (lasting > this.lasting && entries[lasting - 1]!.forgotten) lasting--
    if (!this.options.lies) this.lasting = Math.max(this.lasting, lasting)
  }

  private next<Result>(run: () => Promise<Result>): Promise<Result> {
    const done = this.doing.then(run)
    this.doing = done.catch(() => undefined)
    return done
  }
}
