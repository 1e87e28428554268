import { connect, type Socket } from 'node:net'

/** A client that says what it is told to, one command at a time. */
export class Dialogue {
  readonly socket: Socket
  private text = ''
  private wake: (() => void) | undefined
  private over = false

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => {
      this.text += text
      this.wake?.()
    })
    this.socket.on('error', () => undefined)
    this.socket.on('close', () => {
      this.over = true
      this.wake?.()
    })
  }

  /** Says a line and gives the reply to it, or so many replies. Without a line: the greeting, or what comes next. */
  async say(line?: string, replies = 1): Promise<string[]> {
    if (line !== undefined) this.socket.write(`${line}\r\n`)
    const found: string[] = []
    while (found.length < replies) found.push(await this.reply())
    return found
  }

  /** Says several lines, each when the one before was answered; gives the last answer. */
  async sayAll(...lines: readonly string[]): Promise<string> {
    let last = ''
    for (const line of lines) [last = ''] = await this.say(line)
    return last
  }

  close(): void {
    this.socket.destroy()
  }

  /** One reply, its lines joined; empty when the connection has closed. */
  private async reply(): Promise<string> {
    for (;;) {
      const whole = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.text)
      if (whole) {
        this.text = this.text.slice(whole[0].length)
        return whole[0].trimEnd()
      }
      if (this.over) return ''
      await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }
}
