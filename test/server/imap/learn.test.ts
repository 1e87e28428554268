import { expect, it } from 'vitest'
import { linkedTransports, memoryStore } from '../../../src/adapters/memory/index.ts'
import { turn } from '../../../src/adapters/node/event-loop.ts'
import type { Directory } from '../../../src/contracts/directory.ts'
import { type JunkMarks, type ListenerName, mailServer, quarantine, type ServerEvent } from '../../../src/index.ts'
import { directoryOf, StageClient, USER } from '../../../src/testing/imap-stage.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'

const nobodysBound = directoryOf({ octets: Infinity, messages: Infinity })
const directory: Directory = {
  ...nobodysBound,
  resolve: async () => {
    const account = (await nobodysBound.account(USER))!
    return { kind: 'here', destinations: [{ kind: 'account', account, tag: undefined }] }
  },
}

it('a mail server learns what people mark, and not what it has put aside itself', async () => {
  const clock = virtualClock()
  const learnt: (Omit<JunkMarks, 'mailbox' | 'messages'> & { readonly text: string })[] = []
  const events: ServerEvent[] = []
  const store = memoryStore({ now: () => clock.now() })
  const server = mailServer({
    hostname: 'mail.test',
    directory,
    store,
    volatile: true,
    plaintextAuth: true,
    login: { mechanisms: ['PLAIN'] },
    policies: [{ name: 'suspicious', sender: () => quarantine('odd') }],
    learn: async ({ as, account, uids, messages }) => {
      const body = await store.body(messages[0]!)
      let text = ''
      for await (const bytes of body!.read()) text += Buffer.from(bytes).toString()
      learnt.push({ as, account, uids, text })
    },
    observe: (event) => void events.push(event),
    listen: { mx: {}, imap: {} },
    clock,
  })
  /** Waits until nothing is left to happen: what is answered lets others have their turns in between. */
  const settled = async (): Promise<void> => {
    for (let turns = 0; turns < 5; turns++) {
      await clock.advance(0)
      await turn()
    }
  }
  const connect = async (listener: ListenerName): Promise<(...lines: readonly string[]) => Promise<string>> => {
    const link = linkedTransports({ peer: { address: '192.0.2.7', port: 4000 }, clock })
    server.serve(listener, link.server)
    const client = new StageClient(link.client, () => undefined)
    return async (...lines) => {
      for (const line of lines) {
        client.send(`${line}\r\n`)
        await settled()
      }
      return client.take()
    }
  }
  const marked = (): ServerEvent[] => events.filter(({ kind }) => kind === 'marked')

  await store.create(USER, ['INBOX'])
  const sender = await connect('mx')
  const mail = ['MAIL FROM:<joe@sender.test>', 'RCPT TO:<alice@mail.test>', 'DATA', 'Subject: Buy', '', 'now', '.']
  expect(await sender('EHLO sender.test', ...mail)).toMatch(/\r\n250 .*\r\n$/)
  const alice = await connect('imap')
  await alice('a LOGIN alice secret')
  expect(await alice('b SELECT Spam')).toContain('* 1 EXISTS')
  expect([...marked(), ...learnt]).toEqual([])

  expect(await alice('c COPY 1 INBOX')).toMatch(/^c OK/)
  expect(marked()).toMatchObject([{ as: 'notJunk', account: USER, listener: 'imap' }])
  expect(learnt).toEqual([
    { as: 'notJunk', account: USER, uids: [{ first: 1, last: 1 }], text: expect.stringContaining('Subject: Buy') },
  ])
  await server.stop({ within: 0 })
})
