import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../src/testing/random.ts'
import { outputDifference, type Transcript, type TranscriptStep } from '../../../src/testing/transcripts.ts'
import { type Cut, play, type Played, pop3Transcripts } from './play.ts'

const folder = new URL('../../transcripts/', import.meta.url)
const texts = readdirSync(folder).filter((name) => name.startsWith('pop3-'))

const whole: Cut = { pieces: (octets) => [octets] }

function* cuts(): Generator<[string, Cut]> {
  yield ['octet by octet', { pieces: (octets) => [...octets] }]
  yield ['octet by octet, at once', { pieces: (octets) => [...octets], burst: true }]
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed)
    const atRandom: Cut['pieces'] = (octets) => pieces(octets, () => 1 + random.below(12))
    yield [`cut at random (seed ${seed})`, { pieces: atRandom, burst: seed % 2 === 0 }]
  }
}

function pieces(octets: string, length: () => number): string[] {
  const all: string[] = []
  for (let at = 0; at < octets.length; at += all.at(-1)!.length) all.push(octets.slice(at, at + length()))
  return all
}

/** The same without waiting for responses: batches between which nothing else happens become one. */
function hurried({ steps, ...rest }: Transcript, results: readonly Played[]): [Transcript, Played[]] {
  const joined: TranscriptStep[] = []
  const wanted: Played[] = []
  steps.forEach((step, at) => {
    const before = joined.at(-1)
    const { output, events } = results[at]!
    if (step.octets === undefined || before?.octets === undefined) {
      joined.push(step)
      wanted.push(results[at]!)
      return
    }
    const last = wanted.at(-1)!
    joined[joined.length - 1] = { ...before, octets: before.octets + step.octets }
    wanted[wanted.length - 1] = { output: last.output + output, events: [...last.events, ...events] }
  })
  return [{ ...rest, steps: joined }, wanted]
}

describe.each(texts)('%s', (name) => {
  const transcripts = pop3Transcripts(readFileSync(new URL(name, folder), 'utf8'))

  it.each(transcripts.map((transcript) => [transcript.title, transcript] as const))('%s', (_title, transcript) => {
    const results = play(transcript, whole)
    transcript.steps.forEach((step, at) => {
      expect(outputDifference(step.says, results[at]!.output), `line ${step.line}`).toBeUndefined()
      if (transcript.tellsEvents) expect(results[at]!.events, `events at line ${step.line}`).toEqual(step.events)
    })
    for (const [what, cut] of cuts()) expect(play(transcript, cut), what).toEqual(results)
    const [quick, wanted] = hurried(transcript, results)
    expect(play(quick, whole), 'without waiting').toEqual(wanted)
  })
})
