import { ok } from '../../run.ts'
import { type Command, SELECTED } from '../context.ts'

/** CANCELUPDATE (RFC 5267 §4.3.5): what these searches find is followed no more. */
export const cancelUpdate: Command = {
  name: 'CANCELUPDATE',
  states: SELECTED,
  *run(context, reader) {
    const tags: string[] = []
    reader.space()
    do tags.push(reader.quoted()); while (reader.maybeSpace())
    reader.end()
    for (const tag of tags) context.selected!.followed.delete(tag)
    return ok('Not followed any more')
  },
}
