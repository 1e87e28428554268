/**
 * What a record of each type says. Names are in lower case, in A-labels and without the final dot; the root is the empty name, so
 * the exchange of a null MX (RFC 7505) is `''`.
 */
export interface DnsRecords {
  readonly A: string
  readonly AAAA: string
  readonly CNAME: string
  readonly MX: { readonly preference: number; readonly exchange: string }
  readonly PTR: string
  /** The strings of one record, put together without anything in between (RFC 7208 §3.3); an octet a code unit. */
  readonly TXT: string
  readonly TLSA: { readonly usage: number; readonly selector: number; readonly matching: number; readonly data: Uint8Array }
}

/** The types of records that mail asks for. */
export type DnsRecordType = keyof DnsRecords

/** What the DNS says, which may be that there is nothing. */
export interface DnsAnswer<Type extends DnsRecordType> {
  /** In no particular order. Empty: there is no such record, and `exists` tells whether there is such a name. */
  readonly records: readonly DnsRecords[Type][]
  /** `false`: NXDOMAIN, so that nothing is below the name either (RFC 8020). */
  readonly exists: boolean
  /** Where the aliases lead to, beginning with the name that was asked for; that name where there is none. */
  readonly name: string
  /** Seconds for which this holds, also where it is negative (RFC 2308). */
  readonly ttl: number
  /** DNSSEC has validated it, and the way to whoever did so is trusted (RFC 4035 §3.2.3); DANE rests on this (RFC 7672 §2.1). */
  readonly authenticated: boolean
}

/** Asks the DNS. */
export interface Resolver {
  /**
   * The records of a type at a name, aliases followed. The name is in A-labels, in any case, without a final dot. One that cannot
   * be (a label over 63 octets, an empty one, more than 253 in all, anything but ASCII) does not exist.
   *
   * No record and no name are answers. Rejects with a `temporary` MailError where there is no answer: a failing server, none
   * within the adapter's own time, a loop of aliases, or `signal` aborted.
   */
  resolve<Type extends DnsRecordType>(name: string, type: Type, signal?: AbortSignal): Promise<DnsAnswer<Type>>
  /** Gives up what is under way; that and later calls reject with `closed`. May be called again. */
  close?(): Promise<void>
}
