export interface MessageFacts {
  readonly octets: number
}
