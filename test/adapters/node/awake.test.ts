import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'tsup'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)

/** A script with a mail server and nothing else that would keep a process alive; its argument says what it does. */
const script = `
import { memoryQueue } from '${resolve('src/adapters/memory/queue.ts')}'
import { memoryStore } from '${resolve('src/adapters/memory/index.ts')}'
import { nodeClock } from '${resolve('src/adapters/node/index.ts')}'
import { mailServer } from '${resolve('src/server/mail-server.ts')}'

const later = (milliseconds) => new Promise((ring) => nodeClock.alarm(nodeClock.ticks() + milliseconds, ring))
const no = async () => undefined
const what = process.argv[2]
const server = mailServer({
  hostname: 'mx.test', volatile: true, listen: { mx: {} },
  directory: { resolve: async () => ({ kind: 'elsewhere' }), account: no, verify: no, maySendAs: no, named: no },
  store: memoryStore(), queue: memoryQueue(),
  observe: (event) => event.kind === 'attempt' && console.log(event.result, event.cause),
  outgoing: {
    routes: { kind: 'hosts', name: 'hub', hosts: [{ host: '192.0.2.1', port: 25, tls: 'never' }] },
    dial: async () => {
      await later(what === 'stops' ? 3_600_000 : 200)
      throw new Error('nobody there')
    },
  },
})
console.log('idle')
if (what !== 'idles') {
  await server.enqueue({ from: null, to: ['eve@there.test'], content: 'Subject: x\\n\\ny\\n' })
  console.log('enqueued')
}
if (what === 'stops') {
  await server.stop({ within: 300 })
  console.log('stopped')
}
`

describe('a script with a server', () => {
  let folder = ''
  beforeAll(async () => {
    folder = mkdtempSync(resolve('node_modules', '.posthorn-awake-'))
    const entry = join(folder, 'entry.ts')
    writeFileSync(entry, script)
    await build({
      config: false, entry: { main: entry }, outDir: folder, format: 'esm', target: 'node20', platform: 'node',
      removeNodeProtocol: false, silent: true, dts: false, outExtension: () => ({ js: '.mjs' }),
    })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  // Whatever does not end by itself ends by the time-out of the test.
  it.each([
    ['does what is under way, and waits for nothing that is due later', 'sends', 'idle\nenqueued\ndeferred network\n'],
    ['ends what it stops', 'stops', 'idle\nenqueued\nstopped\n'],
    ['ends where nothing is under way', 'idles', 'idle\n'],
  ])('%s', async (_, what, printed) => {
    const { stdout, stderr } = await run(process.execPath, [join(folder, 'main.mjs'), what])
    expect({ stdout, stderr: stderr.replace(/^.*Warning.*\n/gm, '') }).toEqual({ stdout: printed, stderr: '' })
  })
})
