import { connect } from 'node:net'
import { PATIENCE, type Child } from './children.ts'

/** Resolves when a program accepts connections on a port of the loopback, which many do not say. */
export async function untilListening(child: Child, port: number): Promise<void> {
  const until = performance.now() + PATIENCE
  let over = false
  void child.ended.then(() => (over = true))
  while (!(await isListening(port))) {
    if (over || performance.now() > until) throw new Error(`nobody listens on port ${port}:\n${child.text.slice(-4000)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
