/** What a bounce that came in says of a message of ours, for one recipient. */
export interface BouncedFacts {
  /** The id that the message had in the queue. */
  readonly message: string
  /** The address that the message was sent to; where it went in the end, if that is another one, is in the bounce. */
  readonly recipient: string
  /** The sender that the message had of its own. */
  readonly sender: string
  readonly action: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'
  /** Whether it is worth trying another time; `undefined` for what is no failure. */
  readonly lasting: 'hard' | 'soft' | undefined
  /** RFC 3463; `undefined` where nothing of the kind was said. */
  readonly status: string | undefined
  /** What the server said that refused it. */
  readonly diagnostic: string | undefined
  /** The address is on the list of those that no mail goes to, from now on. */
  readonly suppressed: boolean
}
