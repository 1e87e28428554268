/** What a check of who sent a message has found (RFC 8601 §2.7). `temperror`: the DNS did not say; it may another time. */
export type AuthenticationResult =
  'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'policy' | 'temperror' | 'permerror'

/** What SPF says of a client (RFC 7208 §2.6). */
export interface SpfFinding {
  readonly result: Exclude<AuthenticationResult, 'policy'>
  /** What was looked at: the sender of the envelope, or, where that is null, the name in EHLO (§2.4). */
  readonly identity: 'mailfrom' | 'helo'
  /** Of that identity; in lower case, in A-labels. */
  readonly domain: string
  /** Why, in words; what the domain itself gives as an explanation (§6.2) only where it failed. */
  readonly why: string | undefined
}

/** A DKIM signature and what it is worth (RFC 6376). */
export interface DkimFinding {
  readonly result: AuthenticationResult
  /** `d=`, in lower case; empty where the signature does not say. */
  readonly domain: string
  /** `s=`. */
  readonly selector: string
  /** `a=`, such as `rsa-sha256`. */
  readonly algorithm: string
  /** The first eight characters of `b=`, by which signatures of one domain are told apart (RFC 6008 §4). */
  readonly signature: string
  /** Bits of the key, where one was found. */
  readonly bits: number | undefined
  /** `part`: `l=` leaves octets of the body unsigned, which anybody can have added. Such a one never counts for DMARC. */
  readonly covers: 'all' | 'part'
  readonly why: string | undefined
}

/** What DMARC says of a message (RFC 7489). */
export interface DmarcFinding {
  readonly result: 'none' | 'pass' | 'fail' | 'temperror' | 'permerror'
  /** Of the From field; in lower case, in A-labels. Empty where there is no single one. */
  readonly domain: string
  /** Where the record was found: that domain, or its organizational domain. */
  readonly policyDomain: string | undefined
  /** What the domain asks for; what holds for this message is in `disposition`. */
  readonly policy: 'none' | 'quarantine' | 'reject' | undefined
  /** What the domain wants to be done with this very message, `sp`, `np`, `pct` and `t` considered; `none` where it passes. */
  readonly disposition: 'none' | 'quarantine' | 'reject'
  /** Which identities are aligned with the domain and have passed. */
  readonly aligned: { readonly spf: boolean; readonly dkim: boolean }
  /** The tags of the record, as published: what a report repeats. */
  readonly record: ReadonlyMap<string, string> | undefined
  readonly why: string | undefined
}

/** What the chain of those who passed a message on is worth (RFC 8617). */
export interface ArcFinding {
  readonly result: 'none' | 'pass' | 'fail'
  /** Domains of the seals, the oldest first. */
  readonly sealers: readonly string[]
  /** What the last sealer found out about the message when it got it: the value of its ARC-Authentication-Results. */
  readonly said: string | undefined
  readonly why: string | undefined
}

/** Whether the name of the client's address leads back to it (RFC 8601 §2.7.3). */
export interface IprevFinding {
  readonly result: 'pass' | 'fail' | 'temperror' | 'permerror' | 'none'
  /** The name that leads back; where none does, the first that the address has. In lower case. */
  readonly name: string | undefined
}

/** Where the picture of a brand is (BIMI), of a message that has passed DMARC under a policy that is enforced. */
export interface BimiFinding {
  readonly result: 'pass' | 'none' | 'fail' | 'skipped' | 'temperror'
  readonly domain: string
  readonly selector: string
  /** `https:` of an SVG, and of the certificate that vouches for it. Nothing has been fetched. */
  readonly location: string | undefined
  readonly evidence: string | undefined
}

/** Who sent a message, as far as could be found out. What was not looked at is `undefined`. */
export interface Authentication {
  readonly spf: SpfFinding | undefined
  /** What SPF says of the name in EHLO, where that was looked at beside the sender (RFC 7208 §2.3). */
  readonly helo?: SpfFinding | undefined
  /** In the order in which the signatures stand in the header; of too many only the first ones. */
  readonly dkim: readonly DkimFinding[] | undefined
  readonly dmarc: DmarcFinding | undefined
  readonly arc: ArcFinding | undefined
  readonly iprev: IprevFinding | undefined
  readonly bimi: BimiFinding | undefined
}
