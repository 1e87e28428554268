/** A copy of pieces, as one. */
export function joinedOctets(pieces: readonly Uint8Array[]): Uint8Array {
  let octets = 0
  for (const piece of pieces) octets += piece.length
  const all = new Uint8Array(octets)
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
