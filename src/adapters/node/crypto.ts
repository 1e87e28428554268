import { createHash, createHmac, pbkdf2 } from 'node:crypto'
import type { SaslCrypto, SaslHash } from '../../protocol/sasl/crypto.ts'
import { randomBytes } from './random.ts'

const names: Record<SaslHash, string> = { 'SHA-1': 'sha1', 'SHA-256': 'sha256', MD5: 'md5' }
const lengths: Record<SaslHash, number> = { 'SHA-1': 20, 'SHA-256': 32, MD5: 16 }

/** The cryptography of Node. Keys are derived in the thread pool. */
export const nodeCrypto: SaslCrypto = {
  hash: (name, bytes) => createHash(names[name]).update(bytes).digest(),
  hmac: (name, key, data) => createHmac(names[name], key).update(data).digest(),
  pbkdf2: (name, password, salt, iterations) =>
    new Promise((resolve, reject) => {
      pbkdf2(password, salt, iterations, lengths[name], names[name], (error, key) => {
        if (error) reject(error)
        else resolve(key)
      })
    }),
  random: randomBytes,
}
