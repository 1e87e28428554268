/** A destination, and when the first of its jobs is due. */
interface Entry {
  readonly destination: string
  due: number
  /** Where it is in the heap. */
  place: number
}

/** When each destination has its first job due: a heap, so that looking for those that are due costs as much as there are. */
export class Dues {
  readonly #heap: Entry[] = []
  readonly #entries = new Map<string, Entry>()

  get size(): number {
    return this.#entries.size
  }

  /** When the first job for a destination is due. */
  get(destination: string): number | undefined {
    return this.#entries.get(destination)?.due
  }

  destinations(): Iterable<string> {
    return this.#entries.keys()
  }

  /** Takes note of when a destination has its first job due; `undefined`: it has none. */
  set(destination: string, due: number | undefined): void {
    const entry = this.#entries.get(destination)
    if (due === undefined) {
      if (entry) this.#remove(entry)
    } else if (!entry) {
      const added = { destination, due, place: this.#heap.length }
      this.#entries.set(destination, added)
      this.#heap.push(added)
      rise(this.#heap, added)
    } else {
      entry.due = due
      rise(this.#heap, entry)
      sink(this.#heap, entry)
    }
  }

  /** Destinations in the order in which their first jobs are due. Nothing is to be changed meanwhile. */
  *inOrder(): Generator<{ readonly destination: string; readonly due: number }, void, undefined> {
    // The next one is always a child of one that was given, or the first: a heap of those is all that is looked at.
    const edge: Edge[] = []
    this.#reach(edge, 0)
    for (let next = edge[0]; next; next = edge[0]) {
      const last = edge.pop() as Edge
      if (last !== next) {
        edge[0] = last
        last.place = 0
        sink(edge, last)
      }
      yield next.of
      this.#reach(edge, 2 * next.of.place + 1)
      this.#reach(edge, 2 * next.of.place + 2)
    }
  }

  #reach(edge: Edge[], place: number): void {
    const of = this.#heap[place]
    if (!of) return
    const added = { of, due: of.due, place: edge.length }
    edge.push(added)
    rise(edge, added)
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.destination)
    const last = this.#heap.pop() as Entry
    if (last === entry) return
    last.place = entry.place
    this.#heap[last.place] = last
    rise(this.#heap, last)
    sink(this.#heap, last)
  }
}

/** What stands in a heap. */
interface Placed {
  readonly due: number
  place: number
}

interface Edge extends Placed {
  readonly of: Entry
}

function rise(heap: Placed[], one: Placed): void {
  while (one.place > 0) {
    const above = heap[(one.place - 1) >> 1] as Placed
    if (above.due <= one.due) return
    swap(heap, above, one)
  }
}

function sink(heap: Placed[], one: Placed): void {
  for (;;) {
    const [left, right] = [heap[2 * one.place + 1], heap[2 * one.place + 2]]
    const below = left && right && right.due < left.due ? right : left
    if (!below || below.due >= one.due) return
    swap(heap, one, below)
  }
}

function swap(heap: Placed[], above: Placed, below: Placed): void {
  [above.place, below.place] = [below.place, above.place]
  heap[above.place] = above
  heap[below.place] = below
}
