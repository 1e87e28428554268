import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { dkim } from '../../src/adapters/mailauth/index.ts'
import { outgoing } from '../adapters/mailauth/messages.ts'
import { testKey } from '../adapters/mailauth/verifying.ts'
import { describeWith } from './programs.ts'

/** Debian's: its packages are found by no other. */
const python = '/usr/bin/python3'
const packages = '/usr/lib/python3/dist-packages'

/** What dkimpy finds of every signature of each message. */
function verdictsOn(messages: readonly Buffer[], keys: Readonly<Record<string, string>>): boolean[][] {
  const script = new URL('dkim_verify.py', import.meta.url).pathname
  const input = JSON.stringify({ messages: messages.map((message) => message.toString('base64')), keys })
  const { stdout, stderr, status } = spawnSync(python, [script], { input, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as boolean[][]
}

describeWith([python, `${packages}/dkim/__init__.py`, `${packages}/nacl/__init__.py`], 'what is signed', () => {
  const rsa = testKey('rsa')
  const ed = testKey('ed25519')
  const keys = { 'r._domainkey.example.org': rsa.record, 'e._domainkey.example.org': ed.record }
  const settings = [
    { domain: 'example.org', selector: 'r', key: rsa.pem },
    { domain: 'example.org', selector: 'e', key: ed.pem },
  ]
  const texts = [
    'From: alice@example.org\r\nSubject: x\r\n\r\ny\r\n',
    'From: alice@example.org\r\nSubject: without a body\r\n\r\n',
    'Received: from a\r\n by b; today\r\nsubject:  folded\r\n\tand  spaced \r\nFROM: Alice\r\n <alice@example.org>\r\n' +
      '\r\n a \t b \r\n\r\n\r\n',
    'From: alice@example.org\r\nTo: a@example.net,\r\n b@example.net\r\nSubject: one\r\nSubject: two\r\n\r\n.\r\n..\r\n \r\n',
    'From: alice@example.org\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nna\u00efve\r\n',
    `From: alice@example.org\r\nReferences: ${'<abcdefghijkl@example.org>\r\n '.repeat(40)}<z@example.org>\r\n` +
      `\r\n${'x'.repeat(5000)}\r\n`,
  ]

  it('verifies with dkimpy, and not when anything was changed or added', async () => {
    const { sign } = await dkim({ keys: settings, expires: 604_800_000 })
    const signed = await Promise.all(texts.map(async (text) => Buffer.from((await sign(outgoing(text))) + text)))
    expect(verdictsOn(signed, keys)).toEqual(texts.map(() => [true, true]))
    const spoilt = signed.flatMap((message) => [
      Buffer.concat([message, Buffer.from('And more.\r\n')]),
      Buffer.concat([Buffer.from('Reply-To: mallory@example.net\r\n'), message]),
    ])
    expect(verdictsOn(spoilt, keys)).toEqual(spoilt.map(() => [false, false]))
  })
})
