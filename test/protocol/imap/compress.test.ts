import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { turn } from '../../../src/adapters/node/event-loop.ts'
import { ImapStage, type StageClient } from '../../../src/testing/imap-stage.ts'

const flushed = { finishFlush: constants.Z_SYNC_FLUSH }

/** A client that has said COMPRESS, and what it said and heard since, for inflating begins where compression did. */
class Compressed {
  readonly stage: ImapStage
  readonly client: StageClient
  private said = Buffer.alloc(0)
  private heard = ''

  constructor(stage: ImapStage, client: StageClient) {
    this.stage = stage
    this.client = client
  }

  /** Says a line; gives all that was heard once a line begins so. */
  async says(line: string, until: string): Promise<string> {
    const packed = deflateRawSync(line, { ...flushed, ...(this.said.length > 0 ? { dictionary: this.said } : {}) })
    this.said = Buffer.concat([this.said, Buffer.from(line, 'latin1')])
    this.client.send(packed.toString('latin1'))
    for (;;) {
      await turn()
      await this.stage.settle()
      this.heard += this.client.take()
      const text = inflateRawSync(Buffer.from(this.heard, 'latin1'), flushed).toString('latin1')
      if (text.includes(`\r\n${until}`) || text.startsWith(until)) return text
    }
  }
}

async function loggedIn(stage: ImapStage, chunk?: number): Promise<StageClient> {
  await stage.mailbox('INBOX')
  const client = stage.connect(chunk === undefined ? {} : { chunk })
  await stage.settle()
  client.send('x LOGIN alice secret\r\n')
  await stage.settle()
  client.take()
  return client
}

async function said(stage: ImapStage, client: StageClient, text: string): Promise<string[]> {
  client.send(text)
  await stage.settle()
  return client.take().split('\r\n').slice(0, -1)
}

describe('COMPRESS', () => {
  it('I14 compresses both ways from its answer on, and is offered no more', async () => {
    for (const chunk of [undefined, 1]) {
      const stage = new ImapStage()
      const client = await loggedIn(stage, chunk)
      expect((await said(stage, client, 'a CAPABILITY\r\n'))[0]).toContain(' COMPRESS=DEFLATE')
      expect(await said(stage, client, 'b COMPRESS DEFLATE\r\n')).toEqual(['b OK Compressed from here on'])
      const compressed = new Compressed(stage, client)
      expect(await compressed.says('c NOOP\r\n', 'c ')).toBe('c OK Nothing done\r\n')
      const text = await compressed.says('d CAPABILITY\r\ne compress deflate\r\n', 'e ')
      expect(text).toContain('\r\ne NO [COMPRESSIONACTIVE] DEFLATE is active already\r\n')
      expect(text).not.toContain('COMPRESS=DEFLATE')
    }
  })

  it('I14 sends what is new at once, and messages whole', async () => {
    const stage = new ImapStage()
    const client = await loggedIn(stage)
    const mail = `Subject: x\r\n\r\n${'All work and no play. '.repeat(20_000)}\r\n`
    await stage.deliver('INBOX', mail)
    await said(stage, client, 'a SELECT INBOX\r\n')
    await said(stage, client, 'b COMPRESS DEFLATE\r\n')
    const compressed = new Compressed(stage, client)
    expect(await compressed.says('c FETCH 1 BODY.PEEK[]\r\n', 'c ')).toBe(
      `* 1 FETCH (BODY[] {${mail.length}}\r\n${mail})\r\nc OK Fetched\r\n`,
    )
    await compressed.says('d IDLE\r\n', '+ ')
    await stage.deliver('INBOX', mail)
    expect(await compressed.says('', '* 2 EXISTS')).toContain('* 2 EXISTS')
  })

  it('ends the conversation where something was sent behind it', async () => {
    const stage = new ImapStage()
    const client = await loggedIn(stage)
    expect(await said(stage, client, 'a COMPRESS DEFLATE\r\nb DELETE INBOX\r\n')).toEqual([
      '* BYE Nothing may follow before the answer',
    ])
    expect(client.closed).toBe(true)
  })

  it('breaks where what follows is not compressed', async () => {
    const stage = new ImapStage()
    const client = await loggedIn(stage)
    await said(stage, client, 'a COMPRESS DEFLATE\r\n')
    client.send('\xff\xff\xff\xff')
    while (!client.closed) {
      await turn()
      await stage.settle()
    }
    expect(client.closed).toBe(true)
  })

  it('is for those who have logged in, and knows DEFLATE alone', async () => {
    const stage = new ImapStage()
    const early = stage.connect()
    await stage.settle()
    expect((await said(stage, early, 'a COMPRESS DEFLATE\r\n')).at(-1)).toMatch(/^a BAD /)
    const client = await loggedIn(stage)
    expect(await said(stage, client, 'a COMPRESS LZ4\r\n')).toEqual(['a BAD There is no such compression'])
    expect(await said(stage, client, 'b COMPRESS\r\n')).toEqual(['b BAD An argument is missing'])
  })
})
