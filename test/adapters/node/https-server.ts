import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import { fakeDns } from '../../../src/testing/index.ts'
import { issue, type Issued } from './issue.ts'

/** Who has certified the servers. */
export const authority = issue({ subject: 'authority', ca: true })

/** Knows where they are. */
export const resolver = fakeDns({
  'mta-sts.a.test': { A: '127.0.0.1' },
  'mta-sts.b.test': { A: '127.0.0.1' },
  'reports.a.test': { A: '127.0.0.1' },
})

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** An HTTPS server for one test, on a port of the loopback. */
export async function httpsServer(listener: RequestListener, { cert, key }: Issued): Promise<number> {
  const server = createServer({ cert, key }, listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
