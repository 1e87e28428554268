import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { certificates, selfSigned } from '../../src/adapters/node/index.ts'
import { run } from './children.ts'
import { swaksOptions } from './clients.ts'
import { holding } from './held.ts'
import { Inbox } from './inbox.ts'
import { certificateIn } from './certificate.ts'
import { fileOf, plainMail } from './mail.ts'
import { tlsClient } from './openssl.ts'
import { describeWith } from './programs.ts'

const held = holding()
const folder = held.folder('tls')
const certificate = certificateIn(folder, held)
const modes = ['starttls', 'implicit'] as const

/** OpenSSL refuses to offer old protocols unless it is told that nothing is at stake. */
const careless = ['-cipher', 'ALL:@SECLEVEL=0']

describeWith(['openssl'], 'openssl s_client', () => {
  describe.each(modes)('%s', (mode) => {
    let inbox: Inbox
    beforeAll(async () => {
      const more = selfSigned({ hostname: 'mx.one.test', names: ['mail.one.test'] })
      const wild = selfSigned({ hostname: '*.two.test' })
      const source = certificates({ ...certificate.files, also: [more, wild], watch: false })
      held.later(() => source.close())
      inbox = await Inbox.open({ listen: { tls: { mode, certificates: source } } })
    })
    afterAll(() => inbox.stop())

    /** What s_client tells of a connection that the server ends after QUIT. */
    const connect = async (name: string | undefined, more: readonly string[] = []) => {
      const client = tlsClient({ port: inbox.port, security: mode, more, ...(name === undefined ? {} : { name }) })
      client.write('QUIT\r\n')
      return client.ended
    }

    it.each([
      ['localhost', 'localhost'],
      ['mx.one.test', 'mx.one.test'],
      ['mail.one.test', 'mx.one.test'],
      ['MX.One.Test', 'mx.one.test'],
      ['any.two.test', '*.two.test'],
      ['unknown.test', 'localhost'],
      [undefined, 'localhost'],
    ])('who asks for %s is shown the certificate of %s', async (name, subject) => {
      const { text } = await connect(name)
      expect(/^subject=CN = (.*)$/m.exec(text)?.[1]).toBe(subject)
    })

    it('verifies the certificate', async () => {
      const client = tlsClient({ port: inbox.port, security: mode, name: 'localhost', ca: certificate.files.cert })
      client.write('QUIT\r\n')
      expect((await client.ended).text).toContain('Verify return code: 0 (ok)')
    })

    it.each([
      ['-tls1_3', 'TLSv1.3', /TLS_(AES|CHACHA20)/],
      ['-tls1_2', 'TLSv1.2', /ECDHE-ECDSA-(AES|CHACHA20)/],
    ])('%s is spoken', async (option, protocol, cipher) => {
      const { text } = await connect('localhost', [option])
      const [, spoken, chosen] = /^New, (\S+), Cipher is (\S+)$/m.exec(text) ?? []
      expect([spoken, chosen]).toEqual([protocol, expect.stringMatching(cipher)])
    })

    it.each(['-tls1_1', '-tls1'])('%s is refused, by name', async (option) => {
      const before = inbox.told('turnedAway').length
      const { text, code } = await connect('localhost', [option, ...careless])
      expect(text).toMatch(/alert protocol version|no protocols available|unsupported protocol/)
      expect(code).not.toBe(0)
      expect(text).toContain('Cipher is (NONE)')
      const failure = await inbox.until(() => inbox.told('turnedAway')[before], 'the failure')
      expect(String(failure.error)).toMatch(/unsupported protocol|wrong version number/i)
    })

    const refused = ['AES128-SHA', 'AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384']
    it.each(refused)('%s is refused', async (cipher) => {
      const { text } = await connect('localhost', ['-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`])
      expect(text).toContain('Cipher is (NONE)')
    })

    it.each(['-tls1_2', '-tls1_3'])('%s ends as it should, not in the middle of the stream', async (option) => {
      const { code, text } = await connect('localhost', [option])
      expect(text).not.toContain('unexpected eof')
      expect(code).toBe(0)
    })

    it('does not renegotiate', async () => {
      const client = tlsClient({ port: inbox.port, security: mode, name: 'localhost', more: ['-tls1_2'] })
      await client.said(/Verify return code/)
      client.write('R\n')
      expect((await client.ended).text).toMatch(/no renegotiation|renegotiat/i)
    })
  })

  it('reads the refusal of a server that is full, and then its end', async () => {
    const tls = { mode: 'implicit', certificates: certificate.source } as const
    const full = await Inbox.open({ connections: { server: 0 }, listen: { tls } })
    held.later(() => full.stop())
    for (const option of ['-tls1_2', '-tls1_3']) {
      const { text } = await tlsClient({ port: full.port, security: 'implicit', more: [option] }, true).ended
      expect(text).toContain('421 4.3.2 ')
      expect(text).not.toContain('unexpected eof')
    }
  })
})

describeWith(['swaks', 'openssl'], 'a certificate that is none of theirs', () => {
  it('keeps clients that verify from sending', async () => {
    const { cert, key } = selfSigned({ hostname: 'other.test' })
    const source = certificates({ cert, key, watch: false })
    const inbox = await Inbox.open({ listen: { tls: { mode: 'starttls', certificates: source } } })
    held.later(() => inbox.stop())
    const file = fileOf(plainMail('verified'), folder)
    const { code } = await run('swaks', swaksOptions({
      port: inbox.port, security: 'starttls', ca: certificate.files.cert, to: ['alice@example.test'], file,
    }))
    expect(code).toBe(29)
    expect(inbox.taken).toEqual([])
  })
})
