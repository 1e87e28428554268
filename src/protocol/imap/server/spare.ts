/*
 * Maps and sets that are empty most of the time, and weigh next to nothing then: a connection that is idle holds several, and an
 * empty one of the language's own weighs 180 octets.
 */

/** A `Map` that is made when something is put into it. */
export class SpareMap<Key, Value> {
  private map: Map<Key, Value> | undefined

  constructor(entries: readonly (readonly [Key, Value])[] = []) {
    this.map = entries.length > 0 ? new Map(entries) : undefined
  }

  get size(): number {
    return this.map?.size ?? 0
  }

  has(key: Key): boolean {
    return this.map?.has(key) ?? false
  }

  get(key: Key): Value | undefined {
    return this.map?.get(key)
  }

  set(key: Key, value: Value): void {
    this.map ??= new Map()
    this.map.set(key, value)
  }

  delete(key: Key): void {
    this.map?.delete(key)
    if (this.map?.size === 0) this.map = undefined
  }

  clear(): void {
    this.map = undefined
  }

  values(): Iterable<Value> {
    return this.map?.values() ?? []
  }

  [Symbol.iterator](): Iterator<[Key, Value]> {
    return (this.map ?? [])[Symbol.iterator]()
  }
}

/** A `Set` that is made when something is put into it. */
export class SpareSet<Value> {
  private set: Set<Value> | undefined

  has(value: Value): boolean {
    return this.set?.has(value) ?? false
  }

  add(value: Value): void {
    this.set ??= new Set()
    this.set.add(value)
  }

  clear(): void {
    this.set = undefined
  }
}
