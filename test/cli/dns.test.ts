import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dkimKeyFiles, makeDkimKeys } from '../../src/adapters/node/dkim-files.ts'
import { nodeClock, selfSignedFiles } from '../../src/adapters/node/index.ts'
import { sqlite } from '../../src/adapters/sqlite/index.ts'
import { run } from '../../src/cli/program.ts'
import { referenceSigning } from '../../src/server/reference-dkim.ts'
import { virtualClock } from '../../src/testing/virtual-clock.ts'
import { outgoing } from '../adapters/mailauth/messages.ts'
import { verdictsOn } from '../adapters/mailauth/verifying.ts'

let data = ''
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'posthorn-dns-'))
  const db = sqlite({ path: join(data, 'mail.db') })
  for (const name of ['example.test', 'example.net']) await db.accounts.setDomain({ name })
  await db.close()
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

async function records(settings: Record<string, string> = {}) {
  const out: string[] = []
  const error: string[] = []
  const code = await run({
    arguments: ['dns'],
    environment: { POSTHORN_DATA: data, POSTHORN_HOSTNAME: 'mail.example.test', ...settings },
    pid: 1,
    clock: nodeClock,
    watched: false,
    secrets: { isTyped: false, read: async () => '' },
    out: (line) => void out.push(line),
    outPiece: async (text) => out.push(text.trimEnd()) > 0,
    error: (line) => void error.push(line),
    progress: () => undefined,
    stopped: () => new Promise(() => undefined),
  })
  return { code, out, error: error.join('\n') }
}

/** The TXT records of a zone file, by name. */
function texts(lines: readonly string[]): Map<string, string> {
  return new Map(lines.flatMap((line) => {
    const [, name, strings] = /^(\S+)\. IN TXT (.*)$/.exec(line) ?? []
    if (name === undefined) return []
    return [[name, [...strings!.matchAll(/"([^"]*)"/g)].map(([, text]) => text).join('')]] as const
  }))
}

const signOf = async () => {
  const db = sqlite({ path: join(data, 'mail.db') })
  const signing = await referenceSigning(data, db.accounts, () => undefined, nodeClock)
  await signing!.close()
  await db.close()
  return signing!.sign
}

describe('posthorn dns', () => {
  it('prints what is to be published, in the form of a zone file', async () => {
    await signOf()
    selfSignedFiles(`${data}/tls`, { hostname: 'mail.example.test' })
    const { code, out, error } = await records({ POSTHORN_IMAPS_PORT: '993', POSTHORN_SMTPS_PORT: '0' })
    expect({ code, error }).toEqual({ code: 0, error: '' })
    const lines = out.filter((line) => !line.startsWith(';'))
    expect(lines.filter((line) => !line.includes('IN TXT'))).toEqual([
      'example.net. IN MX 10 mail.example.test.',
      '_imaps._tcp.example.net. IN SRV 0 1 993 mail.example.test.',
      '_submissions._tcp.example.net. IN SRV 0 0 0 .',
      'example.test. IN MX 10 mail.example.test.',
      '_imaps._tcp.example.test. IN SRV 0 1 993 mail.example.test.',
      '_submissions._tcp.example.test. IN SRV 0 0 0 .',
      expect.stringMatching(/^_25\._tcp\.mail\.example\.test\. IN TLSA 3 1 1 [0-9a-f]{64}$/),
    ])
    expect([...texts(lines)].filter(([name]) => name.endsWith('example.test'))).toEqual([
      ['example.test', 'v=spf1 mx -all'],
      ['posthorn._domainkey.example.test', expect.stringMatching(/^v=DKIM1; k=rsa; p=MIIB[\w+/]{388}$/)],
      ['posthorn-ed._domainkey.example.test', expect.stringMatching(/^v=DKIM1; k=ed25519; p=[\w+/]{43}=$/)],
      ['_dmarc.example.test', 'v=DMARC1; p=none; rua=mailto:postmaster@example.test'],
      ['_smtp._tls.example.test', 'v=TLSRPTv1; rua=mailto:postmaster@example.test'],
      ['_mta-sts.example.test', expect.stringMatching(/^v=STSv1; id=[0-9a-f]{16}$/)],
      ['mail.example.test', 'v=spf1 a -all'],
    ])
    expect(out).toContain(';   mx: mail.example.test')
    for (const [, string] of out.join('\n').matchAll(/"([^"]*)"/g)) expect(string!.length).toBeLessThanOrEqual(255)
  })

  it('prints the very keys that mail is signed with', async () => {
    const sign = await signOf()
    const message = 'From: alice@sub.example.test\r\nSubject: x\r\n\r\ny\r\n'
    const published = texts((await records()).out)
    const verdicts = await verdictsOn(Buffer.from((await sign(outgoing(message))) + message, 'latin1'), published)
    expect(verdicts.map(({ signingDomain, algo, status }) => `${signingDomain} ${algo} ${status.result}`)).toEqual([
      'example.test rsa-sha256 pass', 'example.test ed25519-sha256 pass',
    ])
  })

  it('prints what there is where there are no keys yet, and no certificate', async () => {
    const { out } = await records({ POSTHORN_HOSTNAME: 'localhost' })
    expect(out.join('\n')).not.toMatch(/_domainkey|TLSA/)
    expect(out[0]).toBe('; The hostname is localhost, by which nobody finds this server: set another')
    expect(out).toContain('; DKIM (RFC 6376): no keys yet, the server makes them at its start, or soon after the domain has come')
  })

  it('prints no keys of a server that does not sign', async () => {
    await signOf()
    const { out } = await records({ POSTHORN_DKIM: '0' })
    expect(out.join('\n')).not.toContain('_domainkey')
    expect(out).toContain('; DKIM (RFC 6376): this server does not sign')
  })

  it('knows a folder that is none of a server', async () => {
    expect(await records({ POSTHORN_DATA: '/nowhere' })).toMatchObject({ code: 2, error: expect.stringContaining('/nowhere') })
  })
})

describe('keys of DKIM', () => {
  it('are made once, for the eyes of their owner', async () => {
    const folder = join(data, 'dkim')
    const files = dkimKeyFiles(folder, ['example.test'])
    await makeDkimKeys(folder, files)
    expect(readdirSync(folder).sort()).toEqual(['example.test.posthorn-ed.pem', 'example.test.posthorn.pem'])
    const before = files.map(({ key }) => readFileSync(key, 'utf8'))
    expect(files.map(({ key }) => statSync(key).mode & 0o777)).toEqual([0o600, 0o600])
    await makeDkimKeys(folder, files)
    expect(files.map(({ key }) => readFileSync(key, 'utf8'))).toEqual(before)
  })

  it('are made and used for a domain that comes later, until nobody looks any more', async () => {
    const db = sqlite({ path: join(data, 'mail.db') })
    const clock = virtualClock()
    const faults: unknown[] = []
    const signing = (await referenceSigning(data, db.accounts, (event) => event.kind === 'failed' && faults.push(event), clock))!
    const signed = (domain: string): Promise<string> => signing.sign(outgoing(`From: a@${domain}\r\nSubject: x\r\n\r\ny\r\n`))
    await db.accounts.setDomain({ name: 'later.test' })
    expect(await signed('later.test')).toBe('')
    await clock.advance(10_000)
    await expect.poll(() => signed('later.test'), { timeout: 20_000 }).toMatch(/d=later\.test/)
    expect(await signed('example.test')).toMatch(/d=example\.test/)
    await signing.close()
    expect(clock.pending).toBe(0)
    expect(faults).toEqual([])
    await db.close()
  })

  it('are not made where a file of that name cannot be read', async () => {
    const folder = join(data, 'dkim')
    mkdirSync(join(folder, 'example.test.posthorn.pem'), { recursive: true })
    await expect(makeDkimKeys(folder, dkimKeyFiles(folder, ['example.test']))).rejects.toMatchObject({ code: 'config' })
  })
})
