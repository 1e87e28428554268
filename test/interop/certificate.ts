import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CertificateSource, certificates, type KeyPair, selfSigned } from '../../src/adapters/node/index.ts'
import type { Held } from './held.ts'

/** A self-signed certificate for `localhost` in files, for clients to verify and for other servers to show. */
export interface Certificate extends KeyPair {
  /** Its paths, as `certificates()` takes them. */
  readonly files: KeyPair
  /** Path of key and certificate in one file. */
  readonly both: string
  readonly source: CertificateSource
}

/** Makes one. */
export function certificateIn(folder: string, held: Held, names: readonly string[] = ['127.0.0.1']): Certificate {
  const { cert, key } = selfSigned({ hostname: 'localhost', names })
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  const both = join(folder, 'tls.pem')
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key, { mode: 0o600 })
  writeFileSync(both, key + cert, { mode: 0o600 })
  const source = certificates({ ...files, watch: false })
  held.later(() => source.close())
  return { cert, key, files, both, source }
}
