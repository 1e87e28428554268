import { ok } from '../../run.ts'
import { type Command, SELECTED } from '../context.ts'

/** CANCELUPDATE (RFC 5267 §4.3.5): what these searches find is followed no more. */
export const cancelUpdate: Command = {
  name: 'CANCELUPDATE',
  states: SELECTED,
  *run(context, reader) {
    reader.space()
    const tags = [reader.quoted()]
    while (reader.maybeSpace()) tags.push(reader.quoted())
    reader.end()
    for (const tag of tags) context.selected!.followed.delete(tag)
    return ok('Not followed any more')
  },
}
