import { describe, expect, it } from 'vitest'
import { receiver } from '../../../src/server/receiver.ts'
import { behaviourRows } from '../behaviour-rows.ts'
import { codes, ready } from './talk.ts'

describe('S38 LMTP', () => {
  it('S38 speaks through whatever carries its octets: a session knows no transport and no port', () => {
    const talk = ready({ profile: 'lmtp' })
    expect(codes(talk.say('MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'DATA', '.'))).toEqual(['250', '250', '354', '250'])
  })

  it('S38 is refused on port 25', async () => {
    const lmtp = receiver({ hostname: 'mx.example.org', profile: 'lmtp', accepts: () => true, deliver: () => undefined })
    await expect(lmtp.listen({ port: 25 })).rejects.toMatchObject({ code: 'config' })
  })
})

const title = /^## (S\d+) |(?:it|describe)(?:\.each\(.*\))?\('(S\d+) |^  ..'(S\d+) /gm

describe('docs/smtp-behaviour.md', () => {
  behaviourRows({
    document: 'docs/smtp-behaviour.md',
    letter: 'S',
    count: 41,
    folders: ['test/transcripts', 'test/protocol/smtp'],
    idsIn: (text) => [...text.matchAll(title)].map((found) => found[1] ?? found[2] ?? found[3]!),
    // Rows of the sending side.
    notYet: ['S10', 'S40', 'S41'],
  })
})
