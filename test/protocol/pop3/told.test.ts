import { describe, expect, it } from 'vitest'
import { Talk, type TalkOptions } from './talk.ts'

/** What a session has told of lines and refusals, beside its questions. */
function told({ events }: Talk): unknown[] {
  return events.flatMap((event) => {
    if (event.kind === 'line') return [[event.verb, event.octets]]
    return event.kind === 'refusal' ? [[event.response, event.text, event.limit]] : []
  })
}

function talk(options: TalkOptions, ...lines: readonly string[]): Talk {
  const one = new Talk({ tell: 'refusals', mail: ['a\r\n', 'b\r\n'], ...options })
  one.send('')
  one.say(...lines)
  return one
}

describe('what a session of POP3 tells', () => {
  it('is every command where that is asked for, and nothing that may be a password', () => {
    const given = ['user alice', 'hunter2 hidden', 'PASS secret', 'STAT', 'RETR hunter2', 'QUIT']
    expect(told(talk({ tell: 'commands' }, ...given))).toEqual([
      ['USER', 12],
      [undefined, 16],
      ['-ERR', 'Unknown command', undefined],
      ['PASS', 13],
      ['STAT', 6],
      ['RETR', 14],
      ['-ERR', expect.not.stringContaining('hunter2'), undefined],
      ['QUIT', 6],
    ])
    expect(told(talk({ tell: 'commands' }, 'AUTH PLAIN', 'AGFsaWNlAHNlY3JldA=='))).toEqual([['AUTH', 12]])
  })

  it('is nothing where that is not asked for', () => {
    const silent = new Talk({})
    silent.send('')
    silent.say('NOOP', 'NONSENSE')
    expect(told(silent)).toEqual([])
  })

  it('is what breaks the protocol, and no password without TLS', () => {
    expect(told(talk({}, 'STAT', 'NONSENSE', 'PASS x', 'QUIT'))).toEqual([
      ['-ERR', 'Log in first', undefined],
      ['-ERR', 'Unknown command', undefined],
      ['-ERR', 'USER first', undefined],
    ])
    expect(told(talk({ auth: { mechanisms: [] } }, 'USER alice', 'PASS secret'))).toEqual([
      ['-ERR', 'TLS first', undefined],
      ['-ERR', 'TLS first', undefined],
    ])
  })

  it('is that another session has the maildrop, and not what concerns nobody but the client', () => {
    const inUse = { open: () => ({ code: 'IN-USE', refused: 'Another session has the maildrop open' }) }
    expect(told(talk({ answers: inUse }, 'USER alice', 'PASS secret'))).toEqual([
      ['-ERR [IN-USE]', 'Another session has the maildrop open', undefined],
    ])
    expect(told(talk({ answers: { open: () => undefined } }, 'USER alice', 'PASS secret'))).toEqual([])
    expect(told(talk({}, 'USER alice', 'PASS secret', 'RETR 9', 'AUTH NOSUCH', 'QUIT')).slice(1)).toEqual([])
  })

  it.each<[string, TalkOptions, readonly string[], readonly unknown[]]>([
    ['lineOctets', {}, ['x'.repeat(600)], ['-ERR', 'Line too long']],
    ['authOctets', {}, [`AUTH PLAIN ${'x'.repeat(20_000)}`], ['-ERR', 'Line too long']],
    ['authOctets', {}, ['AUTH PLAIN', 'x'.repeat(20_000)], ['-ERR', 'Line too long']],
    ['lineOctets', {}, ['x'.repeat(70_000)], ['-ERR', 'Line too long']],
    ['commandsBefore', { limits: { commandsBefore: 1 } }, ['CAPA', 'CAPA'], ['-ERR', 'Too many commands before log-in']],
    ['errors', { limits: { errors: 2 } }, ['NONSENSE', 'NONSENSE'], ['', '']],
  ])('is a limit: %s', (limit, options, lines, said) => {
    const all = told(talk(options, ...lines))
    expect(all[all.length - 1]).toEqual([...said, limit])
  })

  it('is a limit of failed log-ins, and of time', () => {
    const once = talk({ limits: { authAttempts: 1 } }, 'USER alice', 'PASS wrong')
    once.session.advance(1000)
    once.send('')
    expect(told(once)).toEqual([['-ERR [AUTH]', 'Name or password is wrong', 'authAttempts']])
    const idle = talk({})
    idle.session.advance(60_000)
    idle.send('')
    expect(told(idle)).toEqual([['', '', 'timeout']])
  })
})
