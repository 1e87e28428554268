import type { Draws } from './draws.ts'
import type { Letter } from './person.ts'
import type { Plan } from './plan.ts'

/** Names at our hosts: people, one whose mailbox is full, aliases, nobody. */
const here = ['p0', 'p1', 'full', 'away', 'list', 'gone', 'ghost']
/** Names at others' hosts: those that begin with `no` are nobody's. */
const there = ['x0', 'x1', 'x2', 'x3', 'no0', 'no1']

/** The letters that are sent in a run. */
export function lettersOf({ hosts, foreigns, messages }: Plan, draws: Draws): Letter[] {
  const addresses = [
    ...hosts.flatMap(({ domain }) => here.map((name) => `${name}@${domain}`)),
    ...foreigns.flatMap(({ domain }) => there.map((name) => `${name}@${domain}`)),
    'somebody@missing.test',
  ]
  return Array.from({ length: messages }, (_, at): Letter => {
    const host = draws.pick(hosts)
    const sender = `p${draws.below(host.people)}@${host.domain}`
    const recipients = new Set(Array.from({ length: draws.pick([1, 1, 2, 3, 6]) }, () => draws.pick(addresses)))
    const notify = draws.pick([undefined, undefined, undefined, [], ['SUCCESS', 'FAILURE'] as const])
    return {
      key: `<m${at}@${host.domain}>`,
      sender,
      recipients: [...recipients],
      servers: host.addresses,
      notify,
      octets: draws.pick([100, 1_000, 20_000]),
    }
  })
}
