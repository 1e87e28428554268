import { ok } from '../../run.ts'
import { AUTHENTICATED, type Command, type Enabled } from '../context.ts'

const known: ReadonlySet<string> = new Set<Enabled>(['CONDSTORE', 'QRESYNC', 'UTF8=ACCEPT', 'IMAP4REV2'])

/** ENABLE (RFC 5161): what changes the meaning of things, from now on. Names that are not known are passed over. */
export const enable: Command = {
  name: 'ENABLE',
  states: AUTHENTICATED,
  *run(context, reader) {
    const names: string[] = []
    reader.space()
    do names.push(reader.word()); while (reader.maybeSpace())
    reader.end()
    const now: string[] = []
    for (const name of names) {
      if (!known.has(name) || context.enabled.has(name as Enabled)) continue
      context.enabled.add(name as Enabled)
      // RFC 7162 §3.2.3: who wants QRESYNC wants CONDSTORE.
      if (name === 'QRESYNC') context.enabled.add('CONDSTORE')
      now.push(name)
    }
    // RFC 5161 §3.2: also where it says nothing (I34).
    context.say(`* ENABLED${now.map((name) => ` ${name}`).join('')}`)
    return ok('Done')
  },
}
