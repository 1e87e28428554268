import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { certificates, encodeProxyHeader, listenNode, selfSigned } from '../../../src/adapters/node/index.ts'
import type { ListenOptions } from '../../../src/adapters/node/index.ts'
import { Accepted, dial, dialTls, opened } from './ends.ts'

/** Everything that could keep a process alive. */
function handles(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return counts
}

const events = ['uncaughtException', 'unhandledRejection', 'exit', 'beforeExit', 'SIGTERM', 'SIGINT', 'SIGHUP', 'warning']
const listeners = (): number[] => events.map((event) => process.listenerCount(event as 'exit'))

it('leaves no handle open and no global listener behind, however the connections ended', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-handles-'))
  const before = { handles: handles(), listeners: listeners() }
  const pair = selfSigned({ hostname: 'localhost' })
  await writeFile(join(directory, 'crt'), pair.cert)
  await writeFile(join(directory, 'key'), pair.key)
  const source = certificates({ cert: join(directory, 'crt'), key: join(directory, 'key') })
  const accepted = new Accepted()
  const base = { onTransport: accepted.take, host: '127.0.0.1', port: 0 }
  const kinds: ListenOptions[] = [
    base,
    { ...base, tls: { mode: 'starttls', certificates: source } },
    { ...base, tls: { mode: 'implicit', certificates: source } },
    { ...base, proxy: { from: ['127.0.0.1'] } },
    { onTransport: accepted.take, path: join(directory, 'mail.sock') },
  ]
  for (const options of kinds) {
    const listener = await listenNode(options)
    const place = listener.path === undefined ? { port: listener.port as number } : { path: listener.path }
    const reach = async (): Promise<Awaited<ReturnType<typeof dial>>> => {
      if (options.tls?.mode === 'implicit') return dialTls(place)
      const far = await dial(place)
      if (options.proxy) far.send(encodeProxyHeader({ version: 1, command: 'local' }))
      return far
    }
    // Still pending when the listener closes: a header or handshake that never comes.
    const pending = await dial(place)
    if (!options.proxy && options.tls?.mode !== 'implicit') (await accepted.next()).reset()
    for (const ending of ['end', 'reset', 'far end', 'far reset'] as const) {
      const far = await reach()
      const near = await accepted.next()
      const sink = opened(near)
      far.send('hello')
      await sink.until(() => sink.octets === 5)
      near.write(['hello'])
      if (ending === 'end') {
        near.end()
        await far.until(() => far.ended)
        far.end()
      } else if (ending === 'reset') near.reset()
      else if (ending === 'far reset') {
        far.reset()
        if (listener.path !== undefined) near.reset()
      } else {
        far.end()
        await sink.untilCalled('ended')
        near.end()
      }
      await sink.untilCalled('closed')
      await far.until(() => far.closed || far.ended)
      far.socket.destroy()
    }
    listener.close()
    await pending.until(() => pending.closed || pending.ended)
    pending.socket.destroy()
    await listener.closed
  }
  source.close()
  // The far ends need a turn or two to go.
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  // The runner has handles of its own, which come and go: none of a kind that we use may have come.
  const ours = ['TCPServerWrap', 'TCPSocketWrap', 'TLSWrap', 'PipeServerWrap', 'PipeWrap', 'Timeout', 'FSReqPromise']
  const after = handles()
  expect(ours.filter((kind) => (after.get(kind) ?? 0) > (before.handles.get(kind) ?? 0))).toEqual([])
  expect(listeners()).toEqual(before.listeners)
  await rm(directory, { recursive: true })
})
