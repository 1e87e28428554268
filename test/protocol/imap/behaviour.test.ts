import { describe } from 'vitest'
import { behaviourRows } from '../behaviour-rows.ts'

const title = /^ *(?:## |(?:it|describe)(?:\.each\(.*\))?\(')((?:I\d+ )+)/gm

describe('docs/imap-behaviour.md', () => {
  behaviourRows({
    document: 'docs/imap-behaviour.md',
    letter: 'I',
    count: 70,
    folders: ['test/transcripts', 'test/protocol/imap'],
    idsIn: (text) => [...text.matchAll(title)].flatMap((found) => found[1]!.trim().split(' ')),
  })
})
