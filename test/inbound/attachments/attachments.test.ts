import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { inflated } from '../../../src/adapters/node/inflated.ts'
import type { Stage } from '../../../src/contracts/policy.ts'
import type { ReceivedMessage } from '../../../src/contracts/received.ts'
import { inspect, inspectionBudget } from '../../../src/inbound/attachments/inspect.ts'
import type { AttachmentPolicyOptions } from '../../../src/inbound/attachments/policy.ts'
import { sieveMessage } from '../../../src/inbound/sieve/message.ts'
import { attachmentPolicy } from '../../../src/server/attachment-policy.ts'
import { tar, zip } from '../../message/archives.ts'

interface Attached {
  readonly name?: string
  readonly type?: string
  readonly content: Uint8Array | string
  /** Another name, which Content-Type gives. */
  readonly other?: string
}

function messageWith(...attached: readonly Attached[]): ReceivedMessage {
  return message(messageText(...attached))
}

function messageText(...attached: readonly Attached[]): string {
  const parts = attached.map(({ name, type = 'application/octet-stream', content, other }) => {
    const named = (value: string): string => `"=?utf-8?b?${Buffer.from(value).toString('base64')}?="`
    const fields = [
      `Content-Type: ${type}${other === undefined ? '' : `; name=${named(other)}`}`,
      ...(name === undefined ? [] : [`Content-Disposition: attachment; filename=${named(name)}`]),
      'Content-Transfer-Encoding: base64',
    ]
    const encoded = Buffer.from(content as string).toString('base64').replace(/.{76}/g, '$&\r\n')
    return `--b\r\n${fields.join('\r\n')}\r\n\r\n${encoded}\r\n`
  })
  return `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n${parts.join('')}--b--\r\n`
}

function message(text: string): ReceivedMessage {
  const recipients = ['a', 'b'].map((local) => ({ local, domain: 'example.test', wire: `${local}@example.test` }))
  return { ...sieveMessage(Buffer.from(text)), envelope: { sender: null, recipients } } as never
}

const scores: number[] = []
const stage = { notes: { score: (points: number) => scores.push(points) } } as unknown as Stage

async function judged(of: ReceivedMessage, options: AttachmentPolicyOptions = {}): Promise<string> {
  const verdict = await attachmentPolicy(options).message!(of, stage)
  if (!verdict) return 'taken'
  return 'reply' in verdict ? `${verdict.reply.code} ${verdict.reply.enhanced} ${verdict.reply.text}` : verdict.kind
}

const refusals = async (options: AttachmentPolicyOptions, ...attached: readonly Attached[]): Promise<string> =>
  (await judged(messageWith(...attached), options)).replace(/^550 5\.7\.1 Attachment (.*) is not taken here: it is /, '$1: ')

const EXE = `MZ${'\0'.repeat(100)}`
const wide = (text: string): string => [...text].map((character) => `${character}\0`).join('')
const ole = (name: string): Buffer => Buffer.from(`\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1${'\0'.repeat(9000)}${wide(name)}`, 'latin1')
const nested = (depth: number, content: Uint8Array): Buffer => {
  return depth === 0 ? Buffer.from(content) : zip({ name: `${depth}.zip`, content: nested(depth - 1, content) })
}

describe('an attachment', () => {
  it('is not taken behind more parts than are read', async () => {
    const part = '--b\r\nContent-Disposition: attachment; filename=a\r\n\r\nx\r\n'
    const many = message(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(10_001)}--b--\r\n`)
    expect(await judged(many)).toBe('550 5.7.1 The message has more parts than can be looked at')
  })

  it('is seen behind more files than are listed', async () => {
    const files = Array.from({ length: 9 }, (_, at) => ({ name: `${at}.txt`, content: 'x' }))
    const tarred = tar(...files.map(({ name, content }) => [name, content] as const))
    const many = [{ name: 'a.zip', content: zip(...files) }, { name: 'b.tar', content: tarred }]
    const of = messageWith(...many, ...files, { name: 'c.txt', content: EXE })
    const found = await inspect(of, inflated, { ...inspectionBudget, files: 10 })
    expect(found.files.at(-1)).toMatchObject({ path: ['c.txt'], kinds: new Set(['executable']) })
    expect(found.unreadable).toContainEqual({ path: ['b.tar'], why: 'it holds more than 10 files' })
  })

  it.each<[string, Attached]>([
    ['taken', { name: 'a.pdf', content: '%PDF-1.7' }],
    ['taken', { name: 'a.zip', content: zip({ name: 'b.txt', content: 'x' }, { name: 'c/', content: '' }) }],
    ['taken', { name: 'a.docx', content: zip({ name: '[Content_Types].xml', content: 'x' }) }],
    ['taken', { name: 'a.doc', content: ole('WordDocument') }],
    ['a.exe: a program', { name: 'a.exe', content: 'x' }],
    ['photo.jpg: a program', { name: 'photo.jpg', content: EXE }],
    ['without a name: a program', { content: '\x7fELF' }],
    ['a.bin: a program', { name: 'a.bin', type: 'application/x-msdownload', content: 'x' }],
    ['a.txt: a program', { name: 'a.txt', other: 'a.scr', content: 'x' }],
    ['run: a script', { name: 'run', content: '#!/bin/sh' }],
    ['A.JS: a script', { name: 'A.JS', content: 'x' }],
    ['a.lnk: a script', { name: 'a.lnk', content: 'x' }],
    ['a.iso: a disk image', { name: 'a.iso', content: 'x' }],
    ['a.docm: a document with macros', { name: 'a.docm', content: 'x' }],
    ['a.doc: a document with macros', { name: 'a.doc', content: ole('_VBA_PROJECT') }],
    ['a.doc: encrypted', { name: 'a.doc', content: ole('EncryptedPackage') }],
    ['a.docx: a document with macros', { name: 'a.docx', content: zip({ name: 'word/vbaProject.bin', content: 'x' }) }],
    ['a.exe. : named to deceive (its name ends in dots or blanks)', { name: 'a.exe. ', content: 'x' }],
    ['a.pdf.exe: named to deceive (its name has two extensions)', { name: 'a.pdf.exe', content: 'x' }],
    ['a?fdp.exe: named to deceive (its name changes the direction of writing)', { name: 'a\u202efdp.exe', content: 'x' }],
    ['a.p?if: a program', { name: 'a.p\u200bif', content: 'x' }],
    ['a.exe:x.txt: a program', { name: 'a.exe:x.txt', content: 'x' }],
    ['b      .exe: named to deceive (its name hides its extension behind blanks)', { name: 'b      .exe', content: 'x' }],
    ['a.zip > b.exe: a program', { name: 'a.zip', content: zip({ name: 'b.exe', content: 'x' }) }],
    ['a.zip > b: a program', { name: 'a.zip', content: zip({ name: 'b', content: EXE }) }],
    ['a.zip > b: a program', { name: 'a.zip', content: zip({ name: 'b', content: EXE, stored: true }) }],
    ['a.zip > b: a program', { name: 'a.zip', content: zip({ name: 'b', content: EXE, streamed: true }) }],
    ['a.zip > c.exe: a program', { name: 'a.zip', content: zip({ name: 'b.txt', centralName: 'c.exe', content: 'x' }) }],
    ['a.zip > b.exe: a program', { name: 'a.zip', content: zip({ name: 'b.exe', centralName: 'c.txt', content: 'x' }) }],
    ['a.zip: encrypted', { name: 'a.zip', content: zip({ name: 'b.txt', content: 'x', encrypted: true }) }],
    ['a.zip > b.zip > c.exe: a program', {
      name: 'a.zip', content: zip({ name: 'b.zip', content: zip({ name: 'c.exe', content: 'x' }) }),
    }],
    ['a.tgz > a.tar > x/b.exe: a program', { name: 'a.tgz', content: gzipSync(tar(['a.txt', 'x'], ['x/b.exe', 'x'])) }],
    ['a.exe.gz > a.exe: a program', { name: 'a.exe.gz', content: gzipSync('x') }],
    ['a.rar: encrypted', { name: 'a.rar', content: rar4(0x74, 0x04) }],
    ['a.rar: encrypted', { name: 'a.rar', content: rar4(0x73, 0x80) }],
    ['taken', { name: 'a.rar', content: rar4(0x74, 0) }],
    ['a.rar: encrypted', { name: 'a.rar', content: Buffer.from('526172211a070100000000000404000000', 'hex') }],
    ['a.rar: encrypted', { name: 'a.rar', content: Buffer.from('526172211a0701000000000007020102000001010000', 'hex') }],
    ['taken', { name: 'a.rar', content: Buffer.from('526172211a07010000000000040500000000', 'hex') }],
    ['a.7z: encrypted', { name: 'a.7z', content: sevenZip('0106f10701') }],
    ['taken', { name: 'a.7z', content: sevenZip('0103030101') }],
  ])('is %s', async (expected, attached) => expect(await refusals({}, attached)).toBe(expected))

  it('in a message in the message is looked at, too', async () => {
    const inner = `Content-Type: application/octet-stream; name=a.exe\r\n\r\nx`
    const outer = 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n'
    const text = `${outer}${inner}\r\n--b--\r\n`
    expect(await judged(message(text))).toBe('550 5.7.1 Attachment a.exe is not taken here: it is a program')
  })

  it('in a message that is attached as a file, or encoded, is looked at, too', async () => {
    const inner = 'Subject: x\r\nContent-Type: application/octet-stream; name=a.exe\r\n\r\nx'
    expect(await refusals({}, { name: 'mail.eml', content: inner })).toBe('mail.eml > a.exe: a program')
    expect(await refusals({}, { type: 'message/rfc822', content: inner })).toBe('without a name > a.exe: a program')
    const deep = (depth: number): string => {
      return depth === 0 ? inner : Buffer.from(messageText({ name: 'm.eml', content: deep(depth - 1) })).toString()
    }
    expect(await refusals({ messageDepth: 0 }, { name: 'm.eml', content: 'Subject: x\r\n\r\n' })).toMatch(/in too many others/)
    const options = { refuse: [], messageDepth: 50, unreadable: false }
    expect(await refusals(options, { name: 'm.eml', content: deep(10) })).toMatch(/in too many messages$/)
  })

  it.each<[AttachmentPolicyOptions, string]>([
    [{ refuse: [] }, 'taken'],
    [{ refuse: ['archive'] }, 'a.zip: an archive'],
    [{ refuse: [], extensions: ['.TXT'] }, 'a.zip > b.txt: of the kind .txt'],
    [{ count: 1 }, '552 5.3.4 More than 1 attachments are not taken here'],
    [{ octets: 1000, refuse: [] }, '552 5.3.4 Attachment big.bin has more than 1000 octets'],
    [{ totalOctets: 5000, refuse: [] }, '552 5.3.4 Attachments have more than 5000 octets together'],
    [{ unpackedOctets: 2 }, '552 5.3.4 Archives unpack to more than 2 octets'],
    [{ archiveDepth: 0 }, '550 5.7.1 An archive lies in too many others to be taken here'],
    [{ archiveDepth: 0, then: 'quarantine' }, 'quarantine'],
    [{ limitsOf: ({ local }) => (local === 'b' ? { count: 0 } : {}) }, '552 5.3.4 More than 0 attachments are not taken here'],
    [{ limitsOf: () => ({ archiveDepth: 1 }), archiveDepth: 0 }, 'taken'],
  ])('is held against %j', async (options, expected) => {
    const archive = zip({ name: 'b.txt', content: 'xyz' })
    const attached = [{ name: 'a.zip', content: archive }, { name: 'big.bin', content: 'x'.repeat(4900) }]
    expect(await refusals(options, ...attached)).toBe(expected)
  })

  it('may cost points alone', async () => {
    expect(await refusals({ then: 4 }, { name: 'a.exe', content: 'x' })).toBe('taken')
    expect(scores.splice(0)).toEqual([4])
  })

  it('that is an archive in an archive in an archive is taken, and no deeper', async () => {
    expect(await refusals({}, { name: 'a.zip', content: nested(3, Buffer.from('x')) })).toBe('taken')
    const deeper = await refusals({}, { name: 'a.zip', content: nested(4, Buffer.from('x')) })
    expect(deeper).toBe('550 5.7.1 An archive lies in too many others to be taken here')
    const options = { archiveDepth: 100, unreadable: false }
    const deepest = await refusals(options, { name: 'a.zip', content: nested(10, Buffer.from('x')) })
    expect(deepest).toMatch(/it lies in too many archives$/)
  })

  it('that is damaged is taken, unless that is not wanted', async () => {
    const content = zip({ name: 'b.bin', content: Buffer.alloc(2000, 'xyz') })
    content.fill(255, 40, 60)
    expect(await refusals({}, { name: 'a.zip', content })).toBe('taken')
    expect(await refusals({ unreadable: false }, { name: 'a.zip', content })).toMatch(/b\.bin: damaged$/)
  })

  it('takes no options that make no sense', () => {
    expect(() => attachmentPolicy({ refuse: ['exe'] } as never)).toThrow('attachmentPolicy: refuse is a list; it takes a list of')
    expect(() => attachmentPolicy({ maxOctets: 1 } as never)).toThrow('attachmentPolicy: there is no option "maxOctets".')
  })
})

describe('a look at attachments', () => {
  it('costs no more than its bounds, whatever an archive holds', async () => {
    let seen = 0
    const counting: typeof inflated = async function* (octets, format) {
      for await (const piece of inflated(octets, format)) {
        seen += piece.length
        yield piece
      }
    }
    const bomb = zip({ name: 'b.zip', content: Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(8_000_000)]) })
    const files = Array.from({ length: 50 }, (_, at) => ({ name: `${at}.zip`, content: bomb, stored: true }))
    const found = await inspect(messageWith({ name: 'a.zip', content: zip(...files) }), counting, {
      ...inspectionBudget, inflated: 1_000_000,
    })
    expect(seen).toBeLessThan(1_100_000)
    expect(found.unreadable[0]!.why).toBe('the message unpacks to more than can be looked at')
  })

  it('holds no more than its bound, however archives lie in each other', async () => {
    const stored = (depth: number): Buffer => {
      return depth === 0 ? Buffer.alloc(100_000) : zip({ name: `${depth}.zip`, content: stored(depth - 1), stored: true })
    }
    const { files, unreadable } = await inspect(messageWith({ name: 'a.zip', content: stored(6) }), inflated, {
      ...inspectionBudget, held: 250_000,
    })
    expect(unreadable[0]!.why).toBe('it is larger than can be looked at')
    expect(files[0]!.octets).toBeGreaterThan(100_000)
  })

  it('lists no more files than its bound, and inflates the heads of no more than another', async () => {
    const files = Array.from({ length: 60 }, (_, at) => ({ name: `${at}`, content: EXE }))
    const found = await inspect(messageWith({ name: 'a.zip', content: zip(...files) }), inflated, {
      ...inspectionBudget, files: 50, looks: 10,
    })
    expect(found.files.length).toBeLessThanOrEqual(50)
    expect(found.files.filter(({ kinds }) => kinds.has('executable'))).toHaveLength(10)
    expect(found.unreadable[0]!.why).toBe('it holds more than 50 files')
  })

  it('comes to an end whatever comes', async () => {
    const tarHead = `${'x'.repeat(257)}ustar`
    const heads = ['PK\x03\x04', 'Rar!\x1a\x07\x00', 'Rar!\x1a\x07\x01\x00', '7z\xbc\xaf\x27\x1c', '\x1f\x8b\x08', tarHead]
    await fc.assert(fc.asyncProperty(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 800 }), async (head, rest) => {
      const content = Buffer.concat([Buffer.from(head, 'latin1'), rest])
      const { files } = await inspect(messageWith({ name: 'a', content }), inflated)
      expect(files[0]!.octets).toBe(content.length)
    }), { numRuns: 100 })
  })

  it('finds what is put into an archive, cut anywhere', async () => {
    const whole = zip({ name: 'a.exe', content: EXE }, { name: 'b.txt', content: 'x' })
    await fc.assert(fc.asyncProperty(fc.integer({ min: 36, max: whole.length }), async (end) => {
      const { files } = await inspect(messageWith({ name: 'a.zip', content: whole.subarray(0, end) }), inflated)
      expect(files.some(({ path }) => path.at(-1) === 'a.exe')).toBe(true)
    }), { numRuns: 30 })
  })
})

/** An archive of RAR 4 with one header of that type. */
function rar4(type: number, flags: number): Buffer {
  const header = Buffer.alloc(32)
  header[2] = type
  header.writeUInt16LE(flags, 3)
  header.writeUInt16LE(32, 5)
  return Buffer.concat([Buffer.from('Rar!\x1a\x07\x00', 'latin1'), header])
}

/** An archive of 7z with such octets for its header. */
function sevenZip(header: string): Buffer {
  const first = Buffer.alloc(32)
  Buffer.from('377abcaf271c', 'hex').copy(first)
  first.writeBigUInt64LE(BigInt(header.length / 2), 20)
  return Buffer.concat([first, Buffer.from(header, 'hex')])
}
