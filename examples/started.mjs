// For the checks of the examples: starts one and waits until it says where it listens.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/**
 * The ports that the example says, by scheme; `app.line()`, the next line it prints; and `app.stop()`, which tells it to stop and
 * gives its exit code.
 */
export async function started(path, env) {
  const file = fileURLToPath(new URL(path, import.meta.url))
  const child = spawn(process.execPath, [file], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  process.on('exit', () => child.kill('SIGKILL'))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const line = async () => (await lines.next()).value
  const said = (await line()) ?? ''
  const ports = [...said.matchAll(/(http|smtp|imap):\/\/127\.0\.0\.1:(\d+)/g)].map(([, name, port]) => [name, Number(port)])
  const stop = () => (child.kill('SIGTERM'), ended)
  return { ...Object.fromEntries(ports), app: { line, stop } }
}
