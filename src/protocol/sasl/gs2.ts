/**
 * The header that begins a client's first message (RFC 5801 §4, RFC 5802 §7): what it makes of channel binding, and as whom it
 * wants to act.
 */
export interface Gs2Header {
  /** `n`: the client cannot bind; `y`: it can and believes that the server cannot; else the type that it has bound to. */
  readonly flag: 'n' | 'y' | { readonly type: string }
  /** Decoded; empty where there is none. */
  readonly authorizeAs: string
  /** The header as it stands, both commas included. */
  readonly text: string
}

/** Reads the header that a message begins with; a text says why it is none. */
export function readGs2(message: string): Gs2Header | string {
  const comma = message.indexOf(',')
  const end = comma < 0 ? -1 : message.indexOf(',', comma + 1)
  if (end < 0) return 'no gs2 header'
  const first = message.slice(0, comma)
  const second = message.slice(comma + 1, end)
  const flag = first === 'n' || first === 'y' ? first : first.startsWith('p=') ? { type: first.slice(2) } : undefined
  if (flag === undefined) return 'no channel binding flag'
  const name = second === '' ? '' : second.startsWith('a=') ? decodeSaslName(second.slice(2)) : undefined
  if (name === undefined || (second !== '' && name === '')) return 'bad authorization identity'
  return { flag, authorizeAs: name, text: message.slice(0, end + 1) }
}

/** The header that says this. `authorizeAs` empty: nobody else. */
export function writeGs2(flag: 'n' | 'y' | `p=${string}`, authorizeAs: string): string {
  return `${flag},${authorizeAs === '' ? '' : `a=${encodeSaslName(authorizeAs)}`},`
}

/** A name as it stands between commas (RFC 5802 §5.1, `saslname`). */
export function encodeSaslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C')
}

/** The name that a `saslname` means; `undefined` for an equals sign that begins neither `=2C` nor `=3D`, and for NUL. */
export function decodeSaslName(text: string): string | undefined {
  if (text.includes('\0')) return undefined
  const [first = '', ...pieces] = text.split('=')
  let name = first
  for (const piece of pieces) {
    const code = piece.slice(0, 2)
    if (code !== '2C' && code !== '3D') return undefined
    name += (code === '2C' ? ',' : '=') + piece.slice(2)
  }
  return name
}
