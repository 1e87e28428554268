import type { Transport, TransportSink } from '../../../src/protocol/session/transport.ts'
import type { Stage } from './stage.ts'

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()]

/** What a server says to a line; `close`: and then it goes. */
export interface Says {
  readonly text: string
  readonly close?: boolean
}

/** A server that answers line by line as `answer` says; content it takes. Gives how often it was connected to. */
export function scripted(
  stage: Stage, address: string, answer: (line: string, said: readonly string[]) => Says | string | undefined,
): { connections: number; readonly lines: string[] } {
  const seen = { connections: 0, lines: [] as string[] }
  stage.network.listen(address, 25, (transport: Transport) => {
    seen.connections++
    const said: string[] = []
    let input = ''
    let isContent = false
    const say = (says: Says | string | undefined): void => {
      if (says === undefined) return
      const { text, close = false } = typeof says === 'string' ? { text: says } : says
      transport.write([encoder.encode(text)])
      if (close) transport.end()
    }
    const one = (line: string): void => {
      if (isContent && line !== '.') return
      said.push(line)
      seen.lines.push(line)
      const given = answer(line, said) ?? usual(line)
      isContent = line === 'DATA' && !(typeof given === 'object') && given.startsWith('354')
      say(given)
    }
    const sink: TransportSink = {
      received: (bytes) => {
        input += decoder.decode(bytes)
        for (let end = input.indexOf('\r\n'); end >= 0; end = input.indexOf('\r\n')) {
          const line = input.slice(0, end)
          input = input.slice(end + 2)
          one(line)
        }
      },
      ended: () => transport.end(),
      drained: () => undefined,
      secured: () => undefined,
      closed: () => undefined,
    }
    transport.open(sink)
    say(answer('', said) ?? '220 hello\r\n')
  })
  return seen
}

function usual(line: string): string {
  if (line === 'DATA') return '354 go\r\n'
  return line === 'QUIT' ? '221 bye\r\n' : '250 ok\r\n'
}
