import { equal, holds, type Runner } from './contracts/checks.ts'
import { seededRandom } from './random.ts'
import { outputDifference, parseTranscripts, type Transcript, type TranscriptStep } from './transcripts.ts'
import { type Cut, type SmtpPlay, smtpPlay, type StepResult } from './transcripts-smtp.ts'

/** What {@link smtpTranscripts} takes. */
export interface SmtpTranscriptsOptions extends Pick<Runner, 'describe' | 'it'> {
  /** What the text is called in the names of the tests. */
  readonly name: string
  /** Markdown with `config` and `smtp` blocks. */
  readonly text: string
}

/** Random cuts tried beside every octet by itself and every cut in two. */
const RANDOM_CUTS = 20
/** Octets of a batch that is not cut in two at each place. */
const LONG = 600

/**
 * Runs the conversations of a text in Markdown against the SMTP server session: what they say must come, however the
 * client's octets are cut into pieces, and whether or not it waits for replies between its batches (`splits: no` in the
 * settings leaves that out).
 */
export function smtpTranscripts({ describe, it, name, text }: SmtpTranscriptsOptions): void {
  describe(name, () => {
    for (const transcript of parseTranscripts(text)) it(transcript.title, async () => checkTranscript(transcript))
  })
}

/** Throws where a transcript does not hold. */
function checkTranscript(transcript: Transcript): void {
  const play = smtpPlay(transcript)
  const { steps } = transcript
  const results = play.run(steps, whole)
  steps.forEach((step, at) => checkStep(transcript, step, results[at]!))
  if (transcript.config.get('splits') === 'no') return
  for (const [what, cut] of cuts(steps)) equal(play.run(steps, cut), results, `${transcript.title}: ${what}`)
  checkWithoutWaiting(play, results)
}

function checkStep({ title, tellsEvents }: Transcript, step: TranscriptStep, { output, events }: StepResult): void {
  const where = `${title}, line ${step.line}`
  const difference = outputDifference(step.says, output)
  holds(difference === undefined, `${where}: ${difference}`)
  if (tellsEvents) equal(events, step.events, `${where}: events`)
}

const whole: Cut = { pieces: (octets) => [octets] }

function* cuts(steps: readonly TranscriptStep[]): Generator<[string, Cut]> {
  const each: Cut['pieces'] = (octets) => [...octets]
  yield ['octet by octet', { pieces: each }]
  yield ['octet by octet, at once', { pieces: each, burst: true }]
  for (let at = 0; at < steps.length; at++) {
    // Long filler is cut often enough at random.
    const length = steps[at]!.octets?.length ?? 0
    for (let cut = 1; cut < length && length <= LONG; cut++) yield [`step ${at} cut at ${cut}`, { pieces: inTwo(at, cut) }]
  }
  for (let seed = 1; seed <= RANDOM_CUTS; seed++) {
    yield [`cut at random (seed ${seed})`, { pieces: atRandom(seed), burst: seed % 2 === 0 }]
  }
}

const inTwo =
  (step: number, cut: number): Cut['pieces'] =>
  (octets, at) =>
    at === step ? [octets.slice(0, cut), octets.slice(cut)] : [octets]

function atRandom(seed: number): Cut['pieces'] {
  const random = seededRandom(seed)
  return (octets) => {
    const pieces: string[] = []
    for (let at = 0; at < octets.length; ) {
      const length = 1 + random.below(random.below(4) === 0 ? 200 : 8)
      pieces.push(octets.slice(at, at + length))
      at += length
    }
    return pieces
  }
}

/** The same without waiting for replies: batches between which nothing else happens become one. */
function checkWithoutWaiting(play: SmtpPlay, results: readonly StepResult[]): void {
  const { steps, title } = play.transcript
  const joined: TranscriptStep[] = []
  const wanted: StepResult[] = []
  steps.forEach((step, at) => {
    const last = joined.at(-1)
    const { output, events } = results[at]!
    if (step.octets !== undefined && last?.octets !== undefined) {
      joined[joined.length - 1] = { ...last, octets: last.octets + step.octets }
      wanted[wanted.length - 1] = join(wanted.at(-1)!, { output, events })
    } else {
      joined.push(step)
      wanted.push(results[at]!)
    }
  })
  for (const [what, cut] of [['at once', whole], ['in random pieces', { pieces: atRandom(7) }]] as const) {
    equal(play.run(joined, cut), wanted, `${title}: all batches ${what}`)
  }
}

/** Two results as one: body events that have become neighbours are one, and those of a refused content count for nothing. */
function join(one: StepResult, other: StepResult): StepResult {
  const events = [...one.events]
  for (const event of other.events) {
    const last = events.at(-1)
    const bodies = last?.startsWith('body ') === true
    if (bodies && event.startsWith('body ')) events[events.length - 1] = `body ${JSON.stringify(textOf(last) + textOf(event))}`
    else if (bodies && event === 'abandoned refused') events[events.length - 1] = event
    else events.push(event)
  }
  return { output: one.output + other.output, events }
}

const textOf = (event: string): string => JSON.parse(event.slice(5)) as string
