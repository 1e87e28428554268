import { bad, no } from '../../run.ts'
import { AUTHENTICATED, type Command } from '../context.ts'

/** COMPRESS (RFC 4978): from the answer on both sides compress. Only after log-in: whoever it is, we know whom it costs. */
export const compress: Command = {
  name: 'COMPRESS',
  states: AUTHENTICATED,
  endsInput: true,
  *run(context, reader, { tag }) {
    reader.space()
    const mechanism = reader.word()
    reader.end()
    if (!context.config.abilities.compress || mechanism !== 'DEFLATE') return bad('There is no such compression')
    if (context.compressed) return no('DEFLATE is active already', 'COMPRESSIONACTIVE')
    context.say(`${tag} OK Compressed from here on`)
    context.compressed = true
    context.emit({ kind: 'compress' })
    return undefined
  },
}
