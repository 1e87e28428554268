// Accepts and discards: the whole receiver, its delivery doing nothing. env: PORT, TLS_KEY, TLS_CERT
import { receiver } from 'posthorn'
import { certificates } from 'posthorn/node'

const { PORT, TLS_KEY, TLS_CERT } = process.env
const tls = TLS_KEY && { mode: 'starttls', certificates: await certificates({ key: TLS_KEY, cert: TLS_CERT }) }
const mx = receiver({ hostname: 'bench.example', connections: false, accepts: () => true, deliver: () => undefined })
await mx.listen({ port: Number(PORT), host: '127.0.0.1', ...(tls ? { tls } : {}) })
