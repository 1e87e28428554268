import { appendOf, type ImapContractOptions, mailOf, playing } from './imap-stand.ts'

/** IDLE (RFC 2177). */
export function idling(options: ImapContractOptions): void {
  const it = playing(options, 'IDLE', 'watch')

  it('tells one who idles what others do', async (stand) => {
    await stand.deliver(mailOf('first'))
    await stand.mailbox('a')
    const [idle, talk] = [await stand.client({ select: 'INBOX' }), await stand.client({ select: 'INBOX' })]
    await idle.idle()
    const hears = (line: RegExp, what: string): Promise<string> => {
      idle.heard = []
      return idle.until((one) => line.test(one), what, 'watch', 'changes')
    }
    const acts: readonly (readonly [string, RegExp, () => Promise<unknown>])[] = [
      ['EXISTS, of a delivery', /^\* 2 EXISTS/, () => stand.deliver(mailOf('delivered'))],
      ['EXISTS, of an APPEND', /^\* 3 EXISTS/, () => talk.ok(appendOf('INBOX', mailOf('appended')), 'append')],
      ['FETCH, of a STORE', /^\* 2 FETCH .*\\Flagged/, () => talk.ok('STORE 2 +FLAGS (\\Flagged)', 'flag')],
      ['EXISTS, of a COPY', /^\* 4 EXISTS/, () => talk.ok('COPY 1 INBOX', 'copy')],
      ['FETCH, of a STORE of \\Deleted', /^\* 1 FETCH .*\\Deleted/, () => talk.ok('STORE 1 +FLAGS (\\Deleted)', 'flag')],
      ['EXPUNGE', /^\* 1 EXPUNGE/, () => talk.ok('EXPUNGE', 'expunge')],
    ]
    for (const [what, line, act] of acts) {
      const heard = hears(line, what)
      // What fails first is told; the other then fails for the same reason.
      await Promise.all([heard, act()])
    }
    await idle.done()
  })

  it('tells of what another server does over the same store', async (stand) => {
    await stand.mailbox()
    const idle = await stand.client({ select: 'INBOX' })
    const elsewhere = await stand.client({ server: stand.server(), select: 'INBOX' })
    await idle.idle()
    const heard = idle.until((line) => line === '* 1 EXISTS', 'EXISTS, of an APPEND by another server', 'watch')
    await Promise.all([heard, elsewhere.ok(appendOf('INBOX', mailOf('x')), 'append')])
  })

  it('tells all who idle, each of its own mailbox', async (stand) => {
    await stand.mailbox()
    await stand.mailbox('a')
    const inboxes = await Promise.all([0, 1, 2].map(() => stand.client({ select: 'INBOX' })))
    const other = await stand.client({ select: 'a' })
    for (const talk of [...inboxes, other]) await talk.idle()
    const heard = inboxes.map((talk) => talk.until((line) => line === '* 1 EXISTS', 'EXISTS, by all who idle', 'watch'))
    await Promise.all([...heard, stand.deliver(mailOf('x'))])
    stand.same(other.heard, [], 'what is heard in another mailbox', 'changes', 'append')
    const elsewhere = other.until((line) => line === '* 1 EXISTS', 'EXISTS, in another mailbox', 'watch')
    await Promise.all([elsewhere, stand.deliver(mailOf('y'), 'a')])
  })
}
