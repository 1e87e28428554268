import { encodeUtf8 } from '../../bytes/text.ts'
import { givesUp, type SaslClientExchange, type SaslClientMechanism, type SaslIdentity, saying } from './exchange.ts'

/** PLAIN (RFC 4616). */
export const plainClient: SaslClientMechanism = {
  name: 'PLAIN',
  plaintext: true,
  fits: hasPassword,
  begin: ({ identity: { username, password = '', authorizeAs = '' } }) =>
    [username, password, authorizeAs].some((text) => text.includes('\0'))
      ? unable('PLAIN: name and password must not hold NUL')
      : saying('PLAIN', [encodeUtf8(`${authorizeAs}\0${username}\0${password}`)]),
}

/** LOGIN: the name, then the password, whatever the server calls them. It knows no acting as somebody else. */
export const loginClient: SaslClientMechanism = {
  name: 'LOGIN',
  plaintext: true,
  fits: (identity) => hasPassword(identity) && identity.authorizeAs === undefined,
  begin: ({ identity: { username, password = '' } }) => saying('LOGIN', ['wait', encodeUtf8(username), encodeUtf8(password)]),
}

/** Whether there is a name and a password. */
export function hasPassword({ username, password }: SaslIdentity): boolean {
  return username !== '' && password !== undefined && password !== ''
}

const unable = (why: string): SaslClientExchange => ({ respond: () => givesUp(why), succeeded: () => givesUp(why) })
