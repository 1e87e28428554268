/** SASL mechanisms as pure exchanges, used by SMTP and IMAP alike; servers and clients. */
export { anonymous } from './anonymous.ts'
export type { ChannelBindingType, SaslChannel } from './channel.ts'
export type { MechanismChoice } from './client/choose.ts'
export { chooseMechanism, clientMechanisms } from './client/choose.ts'
export type {
  SaslClientContext,
  SaslClientExchange,
  SaslClientMechanism,
  SaslClientStep,
  SaslIdentity,
} from './client/exchange.ts'
export type { CramMd5Options } from './cram-md5.ts'
export { cramMd5 } from './cram-md5.ts'
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
export { external } from './external.ts'
export { login } from './login.ts'
export type { OauthOptions } from './oauth.ts'
export { oauthBearer, xoauth2 } from './oauth.ts'
export { plain } from './plain.ts'
export { saslprep } from './saslprep.ts'
export type { ScramOptions } from './scram.ts'
export { scram, scramPlus } from './scram.ts'
export type { ScramKeys } from './scram-keys.ts'
export { scramDefaults, scramKeysOf } from './scram-keys.ts'
