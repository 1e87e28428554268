import { nodeResolver } from '../adapters/node/index.ts'
import type { Resolver } from '../contracts/resolver.ts'

/** The system's resolvers, which are looked for when somebody asks. After `close` they are looked for anew. */
export function systemResolver(): Required<Resolver> {
  let made: ReturnType<typeof nodeResolver> | undefined
  return {
    resolve: (name, type, signal) => (made ??= nodeResolver()).resolve(name, type, signal),
    close: async () => {
      const closing = made
      made = undefined
      await closing?.close()
    },
  }
}
