/** SASL mechanisms as pure exchanges, used by SMTP and later by IMAP alike. */
export type { ChannelBindingType, SaslChannel } from './channel.ts'
export type { SaslCrypto, SaslHash, ScramHash } from './crypto.ts'
export type {
  AnonymousCredentials,
  Credentials,
  ExternalCredentials,
  PasswordCredentials,
  ProvenCredentials,
  RefutedCredentials,
  SaslExchange,
  SaslLookUp,
  SaslMechanism,
  SaslSecret,
  SaslStep,
  TokenCredentials,
} from './exchange.ts'
export { login } from './login.ts'
export { plain } from './plain.ts'
export { saslprep } from './saslprep.ts'
export type { ScramKeys } from './scram-keys.ts'
export { scramDefaults, scramKeysOf } from './scram-keys.ts'
