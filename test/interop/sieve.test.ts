import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { actions, base, bodies, edits, others, type SieveCase, tests, vacations, variables } from '../inbound/sieve/cases.ts'
import { PLAIN } from '../inbound/sieve/mails.ts'
import { run } from './children.ts'
import { holding } from './held.ts'
import { describeWith } from './programs.ts'

const all = [base, actions, variables, tests, bodies, vacations, edits, others].flat()
const cases = all.filter(({ alone }) => alone === undefined)

/** What Pigeonhole says of a script and a message, in the words of the tables. */
async function asked(folder: string, one: SieveCase): Promise<readonly string[]> {
  const { script, message = PLAIN, from = 'coyote@desert.example.org', to = 'roadrunner@acme.example.com' } = one
  const [scriptFile, mailFile] = [join(folder, 'script.sieve'), join(folder, 'mail.eml')]
  writeFileSync(scriptFile, script.replaceAll('\n', '\r\n'))
  writeFileSync(mailFile, message.replaceAll('\n', '\r\n'))
  const given = ['-C', '-c', join(folder, 'dovecot.conf'), '-f', from ?? '<>', '-r', to, '-a', to, scriptFile, mailFile]
  const { out, text } = await run('sieve-test', given)
  if (text.includes('failed to compile sieve script')) return ['refused']
  // It keeps the message where something goes wrong, and says so.
  if (!text.includes('final result: success')) return ['error']
  return actionsOf(out)
}

function actionsOf(report: string): string[] {
  const found: string[] = []
  for (const line of report.split('\n')) {
    const stored = / \* store message in folder: (.*)$/.exec(line)?.[1]
    const sent = / \* redirect message to: <(.*)>$/.exec(line)?.[1]
    const flags = /\+ add IMAP flags: (.*)$/.exec(line)?.[1]
    if (stored !== undefined) found.push(stored.toUpperCase() === 'INBOX' ? 'keep' : `file ${stored}`)
    else if (sent !== undefined) found.push(`redirect ${sent}`)
    else if (line.startsWith(' * reject message')) found.push('reject')
    else if (line.startsWith(' * send vacation message')) found.push('reply')
    else if (flags !== undefined) found.push(`${found.pop()} [${flags.trim().toLowerCase().split(' ').sort().join(' ')}]`)
  }
  return found
}

describeWith(['sieve-test'], 'Pigeonhole', () => {
  const held = holding()
  let folder = ''
  beforeAll(() => {
    folder = held.folder('sieve')
    // It looks at no mailbox, and is nobody while it does.
    chmodSync(folder, 0o777)
    writeFileSync(join(folder, 'dovecot.conf'), [
      `mail_location = maildir:${join(folder, 'mail')}`,
      `mail_home = ${folder}`,
      'mail_uid = 65534',
      'mail_gid = 65534',
      'protocols =',
      'log_path = /dev/stderr',
      'plugin {',
      '  sieve_extensions = +editheader +vacation-seconds +duplicate +special-use',
      '}',
      '',
    ].join('\n'))
  })

  const named = cases.map((one) => [one.script.replaceAll('\n', ' ').slice(0, 150), one] as const)
  it.each(named)('does the same: %s', async (_, one) => {
    const told = await asked(folder, one)
    // What is made in addition, and in which order, is not in its report.
    const expected = one.does.map((action) => action.replace(/ (create|use \S+)/g, '')).sort()
    expect([...told].sort()).toEqual(expected)
  })
})
