import { bad, type Heard, ok } from '../../run.ts'
import { AUTHENTICATED, type Command } from '../context.ts'
import { tellNews } from '../notifying.ts'

/** IDLE (RFC 2177, RFC 9051 §6.3.13): the client hears what is new as it happens, until it says DONE. */
export const idle: Command = {
  name: 'IDLE',
  states: AUTHENTICATED,
  *run(context, reader) {
    reader.end()
    const { timeouts } = context.config
    const end = context.now + timeouts.idle
    context.say('+ Idling')
    if (context.selected) context.selected.changed = true
    context.accountChanged = true
    for (;;) {
      // Yielded here rather than by a generator of its own, which would weigh on every connection that is idle.
      const news = (yield { kind: 'news', until: Math.min(context.now + timeouts.alive, end) }) as Heard | 'changed' | 'time'
      if (news === 'changed') yield* tellNews(context, true)
      else if (news === 'time' && context.now < end) {
        // Hints may be lost, and not every store gives any.
        if (context.selected) context.selected.changed = true
        yield* tellNews(context, true)
        context.say('* OK Still here')
      } else if (news === 'time') {
        context.close('timeout', 'Idle timeout', 'timeout')
        return undefined
      } else if (news.text.toUpperCase() === 'DONE' && news.announced === undefined && !news.broken) return ok('Idle no more')
      else {
        // I26: it is not read as a command, and octets of a literal behind it would be.
        const result = bad('DONE was to come')
        if (!news.broken && news.announced === undefined) return result
        return { ...result, ends: { why: 'protocol', text: 'Nothing more can be understood' } }
      }
    }
  },
}
