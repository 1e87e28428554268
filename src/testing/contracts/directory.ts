import { print } from '../../adapters/node/print.ts'
import type { Account, Directory, Resolution, Rights } from '../../contracts/directory.ts'
import type { Address } from '../../message/address.ts'
import type { ClientCertificate } from '../../protocol/session/tls.ts'
import { equal, holds, type Runner } from './checks.ts'

/** Somebody in the directory under test. */
export interface KnownAccount {
  /** A name to log in with. */
  readonly username: string
  readonly password: string
  /** An address whose mail goes to this account and nowhere else. */
  readonly address: Address
}

/** A directory under test, and what is in it. What the directory cannot have is left out, and its checks are skipped. */
export interface OpenedDirectory {
  readonly directory: Directory
  /** May use `smtp` and `imap`. */
  readonly alice: KnownAccount
  /** Another who may. */
  readonly bob: KnownAccount
  /** An address in a domain of the directory's that is nobody's. */
  readonly unknown: Address
  /** An address in a domain that is none of the directory's. */
  readonly elsewhere: Address
  /** Other spellings of the address of alice: case, quotes that need not be, an alias domain. */
  readonly spellings?: readonly Address[]
  /** An address with a tag that is alice's; how the tag reads. */
  readonly tagged?: { readonly address: Address; readonly tag: string }
  /** Disabled; the password is right. */
  readonly disabled?: KnownAccount
  /** Lacks the right `lacks`, and has the other of `smtp` and `imap`. */
  readonly limited?: KnownAccount & { readonly lacks: 'smtp' | 'imap' }
  /** An address that stands for alice, bob and an address of another server. */
  readonly list?: { readonly address: Address; readonly outside: Address }
  /** An address whose aliases run in a circle. */
  readonly circle?: Address
  /** An address that nobody has, in a domain whose unknown addresses are all alice's. */
  readonly caught?: Address
  /** An address in a domain of the directory's whose postmaster is somebody: RFC 5321 §4.5.1. */
  readonly postmaster?: Address
  /** An OAuth token of alice. */
  readonly token?: string
  /** A certificate of alice. */
  readonly certificate?: ClientCertificate
}

/** What {@link directoryContract} takes. */
export interface DirectoryContractOptions extends Runner {
  /** A directory with these people in it. May be the same each time: the suite changes nothing. */
  readonly open: () => Promise<OpenedDirectory>
}

const now = 1_760_000_000_000

/** What every directory has to do, wherever its people come from. */
export function directoryContract(options: DirectoryContractOptions): void {
  const { describe } = options
  describe('addresses of people', () => people(options))
  describe('addresses that stand for others', () => others(options))
  describe('passwords', () => passwords(options))
  describe('rights', () => rights(options))
  describe('senders', () => senders(options))
  describe('proof of other kinds', () => proofs(options))
}

/** The account that a name and password give; throws where they give none. */
async function accountOf({ directory }: OpenedDirectory, { username, password }: KnownAccount): Promise<Account> {
  const found = await directory.verify({ username, password, right: 'smtp', now })
    ?? await directory.verify({ username, password, right: 'imap', now })
  if (!found) throw new Error(`${username} cannot log in`)
  return found
}

/** The ids of the accounts that mail for an address reaches, sorted. */
function idsOf(resolution: Resolution): string[] {
  equal(resolution.kind, 'here', 'kind')
  const { destinations } = resolution as Resolution & { kind: 'here' }
  return destinations.flatMap((one) => (one.kind === 'account' ? [one.account.id] : [])).sort()
}

/** A check that is skipped where the directory has not what it is about. */
function checkOf({ it, open, skipped = print }: DirectoryContractOptions) {
  return <K extends keyof OpenedDirectory>(
    name: string,
    part: K,
    run: (opened: OpenedDirectory, part: NonNullable<OpenedDirectory[K]>) => Promise<void>,
  ): void => {
    it(name, async () => {
      const opened = await open()
      const found = opened[part]
      if (found === undefined || found === null) skipped(`directoryContract: ${name} (open gives no ${part})`)
      else await run(opened, found)
    })
  }
}

function people(options: DirectoryContractOptions): void {
  const check = checkOf(options)

  check('finds whose an address is', 'alice', async (opened, alice) => {
    const { directory, bob } = opened
    const account = await accountOf(opened, alice)
    equal(account.disabled, false)
    equal(idsOf(await directory.resolve(alice.address)), [account.id])
    equal(await directory.resolve(alice.address), {
      kind: 'here',
      destinations: [{ kind: 'account', account, tag: undefined }],
    })
    holds(idsOf(await directory.resolve(bob.address))[0] !== account.id, 'two people are one account')
  })

  check('knows an account by its id', 'alice', async (opened, alice) => {
    const account = await accountOf(opened, alice)
    equal(await opened.directory.account(account.id), account)
    for (const id of [`${account.id}x`, '', '__proto__', "' OR 1=1 --", '*']) {
      equal(await opened.directory.account(id), undefined, `the account of the id ${id}`)
    }
  })

  check('tells an address that is nobody\'s from one that is elsewhere', 'unknown', async ({ directory, elsewhere }, unknown) => {
    equal(await directory.resolve(unknown), { kind: 'unknown' })
    equal(await directory.resolve(elsewhere), { kind: 'elsewhere' })
  })

  check('is not taken in by what a stranger may write', 'unknown', async ({ directory }, { domain }) => {
    const odd = ['*', '%', '_', '__proto__', 'a)(uid=*', "' OR ''='", '\\', ' ', '@', '+', 'x'.repeat(256), '\u{1f4ec}', '"']
    for (const local of odd) {
      equal(await directory.resolve({ local, domain }), { kind: 'unknown' }, `what ${local} is`)
    }
    equal(await directory.resolve({ local: 'a', domain: '__proto__' }), { kind: 'elsewhere' })
  })

  check('knows an address in every spelling', 'spellings', async ({ directory, alice }, spellings) => {
    const expected = idsOf(await directory.resolve(alice.address))
    for (const address of spellings) {
      equal(idsOf(await directory.resolve(address)), expected, `${address.local}@${address.domain}`)
    }
  })

  check('delivers to a tagged address, and tells the tag', 'tagged', async (opened, { address, tag }) => {
    const account = await accountOf(opened, opened.alice)
    equal(await opened.directory.resolve(address), { kind: 'here', destinations: [{ kind: 'account', account, tag }] })
  })

  check('refuses mail for who is disabled', 'disabled', async ({ directory }, disabled) => {
    equal(await directory.resolve(disabled.address), { kind: 'disabled' })
  })
}

function others(options: DirectoryContractOptions): void {
  const check = checkOf(options)

  check('delivers to each of a list once', 'list', async (opened, { address, outside }) => {
    const { directory, alice, bob } = opened
    const expected = [(await accountOf(opened, alice)).id, (await accountOf(opened, bob)).id].sort()
    const resolution = await directory.resolve(address)
    equal(idsOf(resolution), expected)
    const { destinations } = resolution as Resolution & { kind: 'here' }
    equal(destinations.filter(({ kind }) => kind === 'outside'), [{ kind: 'outside', address: outside }])
  })

  check('ends a circle', 'circle', async ({ directory }, circle) => {
    equal(await directory.resolve(circle), { kind: 'broken' })
  })

  check('catches what is nobody\'s', 'caught', async (opened, caught) => {
    equal(idsOf(await opened.directory.resolve(caught)), [(await accountOf(opened, opened.alice)).id])
  })

  check('has somebody read the mail of the postmaster', 'postmaster', async ({ directory }, { domain, local }) => {
    for (const spelling of [local, 'postmaster', 'Postmaster', 'POSTMASTER']) {
      holds(idsOf(await directory.resolve({ local: spelling, domain })).length > 0, `nobody reads ${spelling}`)
    }
  })
}

function passwords(options: DirectoryContractOptions): void {
  const check = checkOf(options)

  check('tells whose password it is', 'alice', async (opened, alice) => {
    const { directory, bob } = opened
    const account = await accountOf(opened, alice)
    const both = await Promise.all([alice, bob].map((one) => directory.verify({ ...one, right: 'imap', now })))
    equal(both[0], account)
    holds(both[1] !== undefined && both[1].id !== account.id, 'bob is not bob')
  })

  check('takes no other password', 'alice', async ({ directory, bob }, { username, password }) => {
    const wrong = [
      '', ' ', `${password} `, ` ${password}`, password.slice(0, -1), `${password}x`, password.toUpperCase(),
      password.toLowerCase(), bob.password, `${password}\u0000`, '*', '{PLAIN}', 'x'.repeat(1024), 'x'.repeat(100_000), '\ud800',
    ]
    for (const one of wrong) {
      if (one === password) continue
      const found = await directory.verify({ username, password: one, right: 'smtp', now })
      equal(found, undefined, `what ${JSON.stringify(one.slice(0, 40))} gives`)
    }
  })

  check('takes no password for a name that is nobody\'s', 'alice', async ({ directory }, { password, username }) => {
    const odd = ['', ' ', '*', `${username}x`, `${username}\u0000`, '__proto__', "' OR 1=1 --", 'n'.repeat(255), '\ud800']
    for (const name of odd) {
      equal(await directory.verify({ username: name, password, right: 'smtp', now }), undefined, `what the name ${name} gives`)
      equal(await directory.named({ username: name, right: 'smtp', now }), undefined, `whom ${name} names`)
    }
  })

  check('gives who is disabled the answer to a wrong password', 'disabled', async ({ directory }, { username, password }) => {
    for (const right of ['smtp', 'imap', 'admin'] as const) {
      equal(await directory.verify({ username, password, right, now }), undefined)
      equal(await directory.named({ username, right, now }), undefined)
    }
  })
}

function rights(options: DirectoryContractOptions): void {
  const check = checkOf(options)

  check('hears of a log-in, and nobody has to wait for it', 'alice', async (opened, alice) => {
    const account = await accountOf(opened, alice)
    const answer: unknown = opened.directory.loggedIn?.(account, { username: alice.username, right: 'imap', now })
    equal(answer, undefined, 'what loggedIn gives')
    equal(await accountOf(opened, alice), account)
  })

  check('lets in for a right that the account has', 'alice', async (opened, { username, password }) => {
    for (const right of ['smtp', 'imap'] as const) {
      const account = await opened.directory.verify({ username, password, right, now })
      equal(account?.rights[right], true, right)
      equal((await opened.directory.named({ username, right, now }))?.id, account?.id)
    }
  })

  check('lets nobody in for a right that the account lacks', 'limited', async ({ directory }, { username, password, lacks }) => {
    const has: keyof Rights = lacks === 'smtp' ? 'imap' : 'smtp'
    equal(await directory.verify({ username, password, right: lacks, now }), undefined)
    equal(await directory.named({ username, right: lacks, now }), undefined)
    const account = await directory.verify({ username, password, right: has, now })
    equal([account?.rights[has], account?.rights[lacks]], [true, false])
  })
}

function senders(options: DirectoryContractOptions): void {
  const check = checkOf(options)

  check('lets people write under their own address, and no other', 'alice', async (opened, alice) => {
    const { directory, bob, elsewhere, unknown, tagged } = opened
    const account = await accountOf(opened, alice)
    equal(await directory.maySendAs(account, alice.address), true, 'may send as herself')
    if (tagged) equal(await directory.maySendAs(account, tagged.address), true, 'may send as herself, tagged')
    for (const address of [bob.address, elsewhere, unknown]) {
      equal(await directory.maySendAs(account, address), false, `may send as ${address.local}@${address.domain}`)
    }
  })

  check('lets those on a list write under its address', 'list', async (opened, { address, outside }) => {
    const { directory, alice } = opened
    equal(await directory.maySendAs(await accountOf(opened, alice), address), true, 'may send as the list')
    equal(await directory.maySendAs(await accountOf(opened, alice), outside), false, 'may send as who is outside')
  })
}

function proofs(options: DirectoryContractOptions): void {
  const check = checkOf(options)
  const { it, open, skipped = print } = options

  check('tells whose token it is', 'token', async (opened, token) => {
    const { directory, alice, bob } = opened
    holds(directory.token !== undefined, 'open gives a token, and the directory has no token()')
    const expected = (await accountOf(opened, alice)).id
    const given = (username: string, one: string) => directory.token?.({ username, token: one, right: 'imap', now })
    equal((await given(alice.username, token))?.id, expected)
    for (const one of ['', `${token}x`, token.slice(0, -1)]) equal(await given(alice.username, one), undefined, 'another token')
    equal(await given(bob.username, token), undefined, 'whom the token makes of bob')
  })

  check('tells whose certificate it is', 'certificate', async (opened, certificate) => {
    const { directory, alice, bob } = opened
    holds(directory.certificate !== undefined, 'open gives a certificate, and the directory has no certificate()')
    const expected = (await accountOf(opened, alice)).id
    const given = (username: string, one: ClientCertificate) =>
      directory.certificate?.({ username, certificate: one, right: 'imap', now })
    equal((await given(alice.username, certificate))?.id, expected)
    equal((await given('', certificate))?.id, expected)
    equal(await given(bob.username, certificate), undefined, 'whom the certificate makes of bob')
    const strange = { authorized: true, subject: 'CN=stranger', fingerprint: '00'.repeat(32), names: [] }
    equal(await given('', strange), undefined)
    equal(await given(alice.username, strange), undefined)
  })

  it('keeps secrets of nobody for nobody', async () => {
    const { directory } = await open()
    if (!directory.scramKeys && !directory.password) {
      skipped('directoryContract: keeps secrets of nobody for nobody (the directory has neither scramKeys nor password)')
    }
    for (const name of ['', 'nobody', '__proto__', '*']) {
      equal(await directory.scramKeys?.(name, 'SHA-256'), undefined, `keys of ${name}`)
      equal(await directory.password?.(name), undefined, `the password of ${name}`)
    }
  })

  check('keeps keys and passwords that are those of the account', 'alice', async ({ directory }, { username, password }) => {
    for (const hash of ['SHA-1', 'SHA-256'] as const) {
      const keys = await directory.scramKeys?.(username, hash)
      if (!keys) continue
      const octets = hash === 'SHA-1' ? 20 : 32
      equal([keys.storedKey.length, keys.serverKey.length], [octets, octets], `octets of the keys for ${hash}`)
      holds(keys.salt.length > 0 && keys.iterations >= 4096, 'no salt, or fewer than 4096 rounds (RFC 7677 §4)')
    }
    const kept = await directory.password?.(username)
    holds(kept === undefined || kept === password, 'another password')
  })
}
