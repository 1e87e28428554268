/** Something learned, apart from what is decided. */
export type Note =
  | { readonly kind: 'tag'; readonly policy: string; readonly tag: string }
  | { readonly kind: 'score'; readonly policy: string; readonly score: number; readonly why: string }
  | { readonly kind: 'header'; readonly policy: string; readonly name: string; readonly value: string }
  | { readonly kind: 'quarantine'; readonly policy: string; readonly why: string }
