import { utf8Octets } from '../../../bytes/text.ts'
import { encodeString } from '../../encode.ts'
import { Malformed, type Reader } from '../../reader.ts'
import { ask, ok } from '../../run.ts'
import { ANY, type Command } from '../context.ts'

/** RFC 2971 §3.3. */
const MOST_FIELDS = 30
const MOST_NAME = 30
const MOST_VALUE = 1024

/** ID (RFC 2971): who the client says it is, for logs and for hiding what it cannot bear; and who we are. */
export const id: Command = {
  name: 'ID',
  states: ANY,
  *run(context, reader) {
    reader.space()
    const client = readFields(reader)
    reader.end()
    context.client = client
    const server = yield* ask({ kind: 'id', client })
    const fields = [...server].map(([name, value]) => `${encodeString(utf8Octets(name))} ${encodeString(utf8Octets(value))}`)
    context.say(`* ID ${fields.length === 0 ? 'NIL' : `(${fields.join(' ')})`}`)
    return ok('Pleased to meet you')
  },
}

function readFields(reader: Reader): ReadonlyMap<string, string | undefined> {
  const fields = new Map<string, string | undefined>()
  if (!reader.atList) {
    if (reader.nstring() !== undefined) throw new Malformed('A list or NIL is missing')
    return fields
  }
  reader.list(() => {
    const name = reader.string()
    reader.space()
    const value = reader.nstring()
    if (name.length > MOST_NAME || (value?.length ?? 0) > MOST_VALUE || fields.size >= MOST_FIELDS) {
      throw new Malformed('More than ID may say')
    }
    fields.set(name.toLowerCase(), value)
  }, true)
  return fields
}
