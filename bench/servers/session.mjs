// Accepts and discards: the session on sockets, nothing else. env: PORT, TLS_KEY, TLS_CERT
import { certificates, listenNode, nodeClock } from 'posthorn/node'
import { drive } from 'posthorn/session'
import { smtpServerConfig, smtpServerSession } from 'posthorn/smtp'

const { PORT, TLS_KEY, TLS_CERT } = process.env
const config = smtpServerConfig({ hostname: 'bench.example', startTls: Boolean(TLS_KEY) })
const tls = TLS_KEY && { mode: 'starttls', certificates: await certificates({ key: TLS_KEY, cert: TLS_CERT }) }
await listenNode({
  port: Number(PORT),
  host: '127.0.0.1',
  ...(tls ? { tls } : {}),
  onTransport: (transport) => drive(smtpServerSession(config, {}, nodeClock.ticks()), transport, {}, { clock: nodeClock }),
})
