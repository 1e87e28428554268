import { ok } from '../../run.ts'
import { AUTHENTICATED, type Command, type Enabled, type ImapContext } from '../context.ts'
import { enableCondstore } from '../synchronise.ts'

/** By name in upper case, as they are said. */
const known: ReadonlyMap<string, string> = new Map<Enabled, string>([
  ['CONDSTORE', 'CONDSTORE'], ['QRESYNC', 'QRESYNC'], ['UTF8=ACCEPT', 'UTF8=ACCEPT'], ['IMAP4REV2', 'IMAP4rev2'],
  ['UIDONLY', 'UIDONLY'],
])

/** RFC 9051 App. E: IMAP4rev2 has MOVE in it. */
const isThere = ({ config }: ImapContext, name: string): boolean => name !== 'IMAP4REV2' || config.abilities.move

/** ENABLE (RFC 5161): what changes the meaning of things, from now on. Names that are not known are passed over. */
export const enable: Command = {
  name: 'ENABLE',
  states: AUTHENTICATED,
  *run(context, reader) {
    const names: string[] = []
    reader.space()
    names.push(reader.word())
    while (reader.maybeSpace()) names.push(reader.word())
    reader.end()
    const now: string[] = []
    for (const name of names) {
      const said = known.get(name)
      if (said === undefined || context.enabled.has(name as Enabled) || !isThere(context, name)) continue
      // RFC 7162 §3.2.3: who wants QRESYNC wants CONDSTORE.
      if (name === 'QRESYNC' || name === 'CONDSTORE') enableCondstore(context)
      context.enabled.add(name as Enabled)
      now.push(said)
    }
    // RFC 5161 §3.2: also where it says nothing (I34).
    context.say(`* ENABLED${now.map((name) => ` ${name}`).join('')}`)
    return ok('Done')
  },
}
