import type { Resolver } from '../contracts/resolver.ts'

/**
 * Whether mail can go to a domain: it has mail servers, or addresses, which do as well (RFC 5321 §5.1). `null`: it says that it
 * takes none (RFC 7505 §3). `failing`: the DNS does not say. At most three questions. Never rejects.
 */
export async function domainOf(
  name: string, resolver: Resolver, signal?: AbortSignal,
): Promise<'exists' | 'missing' | 'null' | 'failing'> {
  try {
    const { records, exists } = await resolver.resolve(name, 'MX', signal)
    if (records.length > 0) return records.every(({ exchange }) => exchange === '') ? 'null' : 'exists'
    // RFC 8020 §2: then there is nothing of any type, and nothing below.
    if (!exists) return 'missing'
    for (const type of ['A', 'AAAA'] as const) {
      if ((await resolver.resolve(name, type, signal)).records.length > 0) return 'exists'
    }
    return 'missing'
  } catch {
    return 'failing'
  }
}
