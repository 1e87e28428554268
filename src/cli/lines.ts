/** The part of a stream that is written to. */
interface Sink {
  readonly writableLength: number
  write(text: string, done?: (error?: Error | null) => void): boolean
  on(event: 'error', heard: (error: Error) => void): unknown
}

/** Characters that may wait for somebody to read them; what comes on top of that is dropped. */
const MOST_WAITING = 8 * 1024 * 1024

/** Writes lines, those of one turn of the event loop at once. A reader that is gone or asleep stops nothing. */
export class LineWriter {
  private readonly sink: Sink
  private readonly soon: (work: () => void) => void
  private waiting = ''
  private broken = false

  /** `soon` calls back at the end of the present turn of the event loop. */
  constructor(sink: Sink, soon: (work: () => void) => void) {
    this.sink = sink
    this.soon = soon
    sink.on('error', () => {
      this.broken = true
    })
  }

  line(line: string): void {
    if (this.waiting === '') this.soon(() => this.flush())
    this.waiting += `${line}\n`
  }

  /** Resolves when the text is written; `false`: nobody reads any more. */
  piece(text: string): Promise<boolean> {
    this.flush()
    return new Promise((resolve) => {
      if (this.broken) resolve(false)
      else this.sink.write(text, (error) => resolve(!error))
    })
  }

  /** Resolves when all is written that somebody reads. */
  async end(): Promise<void> {
    const { waiting } = this
    this.waiting = ''
    await this.piece(waiting)
  }

  private flush(): void {
    const { waiting, sink } = this
    this.waiting = ''
    if (waiting !== '' && !this.broken && sink.writableLength < MOST_WAITING) sink.write(waiting)
  }
}
