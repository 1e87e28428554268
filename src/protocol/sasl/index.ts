/** SASL mechanisms as pure exchanges, used by SMTP and later by IMAP alike. */
export type { SaslCrypto, SaslHash, ScramHash } from './crypto.ts'
export type { Credentials, PasswordCredentials, SaslExchange, SaslMechanism, SaslStep } from './exchange.ts'
export { login } from './login.ts'
export { plain } from './plain.ts'
export { saslprep } from './saslprep.ts'
export type { ScramKeys } from './scram-keys.ts'
export { scramDefaults, scramKeysOf } from './scram-keys.ts'
