import { connect } from 'node:net'
import { PATIENCE, type Child } from './children.ts'

/** Resolves when a program accepts connections on a port of the loopback, which many do not say. */
export async function untilListening(child: Child, port: number, host = '127.0.0.1'): Promise<void> {
  const until = performance.now() + PATIENCE
  let over = false
  void child.ended.then(() => (over = true))
  while (!(await isListening(port, host))) {
    if (over || performance.now() > until) throw new Error(`nobody listens on port ${port}:\n${child.text.slice(-4000)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function isListening(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
