// Policies are plain objects: a name, and a method for each stage that they have a say in.
import { reject } from 'posthorn'

/** Refuses mail to tickets that are closed, while the sender is still there to be told. */
export function openTickets(isOpen) {
  return {
    name: 'openTickets',
    async recipient(to) {
      if (to.tag !== undefined && !(await isOpen(to.tag))) return reject(550, '5.1.6', 'That ticket is closed')
    },
  }
}

/** Refuses mail with programs attached, and tells the application what else there is. */
export function noPrograms(endings = ['exe', 'scr', 'js', 'vbs', 'bat']) {
  const isProgram = ({ filename = '' }) => endings.includes(filename.toLowerCase().split('.').at(-1))
  return {
    name: 'noPrograms',
    async message(message, { notes }) {
      const { attachments } = await message.parsed()
      if (attachments.some(isProgram)) return reject(552, '5.7.0', 'Programs are not taken by mail')
      notes.tag(attachments.length === 0 ? 'plain' : 'with-files')
      notes.header('X-Attachments', String(attachments.length))
    },
  }
}
