/** Tells how many of some objects are still held by somebody. */
export interface Held {
  /** Watches an object without holding it. */
  watch(object: object): void
  /** How many of those watched are left when all that nobody holds is gone. */
  left(): number
}

/** Watches objects; `undefined` where the collector cannot be called (`node --expose-gc` lets it be). */
export function held(): Held | undefined {
  const { gc } = globalThis as { readonly gc?: () => void }
  if (gc === undefined) return undefined
  const watched: WeakRef<object>[] = []
  return {
    watch: (object) => void watched.push(new WeakRef(object)),
    left: () => {
      gc()
      return watched.filter((one) => one.deref() !== undefined).length
    },
  }
}
