import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { smtpTranscripts } from '../../src/testing/index.ts'
import { parseTranscripts } from '../../src/testing/transcripts.ts'

const fence = '```'

/** A text with one transcript. */
const text = (conversation: string, config = ''): string =>
  `# A text\n\n## A transcript\n\n${fence}config\n${config}\n${fence}\n\n${fence}smtp\n${conversation}\n${fence}\n`

/** Runs a text as a test runner would; what fails. */
async function failures(given: string): Promise<string[]> {
  const tests: [string, () => Promise<void>][] = []
  const it = (name: string, run: () => Promise<void>): unknown => tests.push([name, run])
  smtpTranscripts({ name: 'x.md', text: given, describe: (_name, define) => define(), it })
  const found: string[] = []
  for (const [, run] of tests) await run().catch((error: unknown) => found.push((error as Error).message))
  return found
}

const hello = 'S: 220 …\nE: connect\nC: HELO x\nS: 250 mx.example.org\nE: hello HELO x\n'

describe('a transcript that holds', () => {
  it.each<[string, string]>([
    ['with its events', hello],
    ['without its events', hello.replaceAll(/^E:.*\n/gm, '')],
    ['with remarks', `# first\n${hello}# last\n`],
    ['with settings of its own', `${hello}C: XPING\nS: 250 2.0.0 Ok\nE: command XPING\n`],
  ])('%s', async (_what, conversation) => {
    expect(await failures(text(conversation, 'verbs: ["XPING"]'))).toEqual([])
  })
})

it('holds as docs/testing.md shows it', async () => {
  const shown = /^`{4}md\n(.*?)^`{4}$/ms.exec(readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8'))?.[1]
  expect(parseTranscripts(shown!)).toHaveLength(1)
  expect(await failures(shown!)).toEqual([])
})

describe('a transcript that does not hold', () => {
  it.each<[string, string, string]>([
    ['a line that was not said', hello.replace('250 mx', '250 my'), 'wanted 250 my.example.org, got 250 mx.example.org'],
    ['a line too few', hello.replace('S: 250 mx.example.org\n', ''), 'nobody wanted 250 mx.example.org'],
    ['a line too many', hello.replace('E: hello', 'S: 250 more\nE: hello'), 'wanted 250 more, got nothing'],
    ['another code', hello.replace('S: 250 mx.example.org', 'S: 550 …'), 'wanted 550 …, got 250 mx.example.org'],
    ['an event that did not come', hello.replace('E: hello HELO x', 'E: hello HELO y'), 'events'],
    ['an event too few', hello.replace('E: connect\n', ''), 'events'],
  ])('for %s', async (_what, conversation, message) => {
    expect((await failures(text(conversation)))[0]).toContain(message)
    expect((await failures(text(conversation)))[0]).toContain('A transcript, line')
  })

  it('for what depends on how the octets were cut', async () => {
    const early = 'S: 220 …\nC: EHLO x\nC: NOOP\nS: 503 5.5.0 Improper use of pipelining\n'
    expect((await failures(text(early, 'rules.pipelining: enforce')))[0]).toContain('octet by octet')
    expect(await failures(text(early, 'rules.pipelining: enforce\nsplits: no'))).toEqual([])
  })
})

describe('what cannot be read', () => {
  it.each([
    ['a line of no kind', 'X: what', 'line 10'],
    ['an escape that is none', 'C: \\q', 'escape \\q'],
    ['an escape at the end', 'C: \\', 'escape \\'],
  ])('%s', (_what, conversation, message) => {
    expect(() => parseTranscripts(text(conversation))).toThrow(message)
  })

  it('a setting that is none', () => {
    expect(() => parseTranscripts(text(hello, 'nonsense'))).toThrow('line 6')
  })

  it.each([
    ['a happening that is none', '! explode'],
    ['an answer that is none', '! answer connect 1 sure'],
  ])('%s', async (_what, line) => {
    expect((await failures(text(`E: connect\n${line}\n`, 'answer connect: wait')))[0]).toBeDefined()
  })
})

describe('octets', () => {
  it('are written as they are, or with escapes', () => {
    const [transcript] = parseTranscripts(text('S: 220 …\nC: a\\0\\x41\\\\é\nC| \\*{3}xy\\t\\r\\n\n! wait 1\nC|'))
    expect(transcript!.steps.map(({ octets, happens }) => octets ?? happens)).toEqual([
      undefined,
      'a\0A\\\u00c3\u00a9\r\nxxxy\t\r\n',
      'wait 1',
      '',
    ])
  })

  it('come in one batch until something is said to come of them', () => {
    const [transcript] = parseTranscripts(text('S: 220 …\nC: one\nC: two\nS: 250 …\nC: three'))
    expect(transcript!.steps.map(({ octets }) => octets)).toEqual([undefined, 'one\r\ntwo\r\n', 'three\r\n'])
  })
})

it('lets settings before the first transcript count for all', async () => {
  const given = `${fence}config\nhostname: other.example\n${fence}\n${text(hello)}${text(hello)}`
  expect(await failures(given)).toHaveLength(2)
  expect(await failures(given.replaceAll('mx.example.org', 'other.example'))).toEqual([])
})
