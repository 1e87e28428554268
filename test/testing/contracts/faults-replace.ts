import { turn } from '../../../src/adapters/node/event-loop.ts'
import { MailError } from '../../../src/protocol/session/errors.ts'
import { type Fault, fault, only } from './fault.ts'

/** Stores whose `replace` is not what it should be. */
export const replaceFaults: readonly Fault[] = [
  fault('replace', 'leaves the other', (store) => ({
    replace: (_id, _uid, { mailbox, message, ...room }) => store.append(mailbox, message, room),
  })),
  fault('replace', 'adds where there was nothing to replace', (store) => ({
    replace: async (id, uid, by) =>
      (await store.replace(id, uid, by)) ?? store.append(by.mailbox, by.message),
  })),
  fault('replace', 'adds first, and removes some time later', (store) => ({
    replace: async (id, uid, { mailbox, message, ...room }) => {
      const stored = await store.append(mailbox, message, room)
      await turn()
      await store.expunge(id, only(uid))
      return stored
    },
  })),
  fault('replace', 'knows no quota', (store) => ({
    replace: (id, uid, { mailbox, message }) => store.replace(id, uid, { mailbox, message }),
  })),
  fault('replace', 'asks for room as if both were to stay', (store) => ({
    replace: async (id, uid, by) => {
      const { messages, octets } = await store.usage('alice')
      const { quota = { messages: Infinity, octets: Infinity } } = by
      const after = octets + by.message.body.size + store.traits.overhead
      const fits = messages < quota.messages && after <= quota.octets
      if (!fits) throw new MailError('quota', 'The account would hold more than it may')
      return store.replace(id, uid, by)
    },
  })),
  fault('replace', 'takes over the flags', (store) => ({
    replace: async (id, uid, by) => {
      for await (const [old] of store.entries(id, { uids: only(uid) })) {
        return store.replace(id, uid, { ...by, message: { ...by.message, flags: old!.flags } })
      }
      return store.replace(id, uid, by)
    },
  })),
  fault('replace', 'keeps it in its own mailbox', (store) => ({
    replace: (id, uid, by) => store.replace(id, uid, { ...by, mailbox: id }),
  })),
]
