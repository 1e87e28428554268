import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitReply } from '../../src/message/reply.ts'

describe('an answer above what it answers', () => {
  it.each<[string, string, string]>([
    ['Gmail', 'Thanks!\n\n', 'On Mon, Jan 1, 2024 at 10:00 AM Joe Smith <joe@example.com> wrote:\n\n> Hello\n>\n> there'],
    ['Gmail, wrapped', 'Thanks!\n\n', 'On Mon, Jan 1, 2024 at 10:00 AM Joe Smith\n<joe@example.com> wrote:\n\n> Hello'],
    ['Gmail, wrapped twice', 'Thanks!\n\n', 'On Mon, Jan 1, 2024 at 10:00 AM\nJoe Smith <joe@example.com>\nwrote:\n\n> Hello'],
    ['Apple Mail', 'Thanks!\n\n', 'On Jan 1, 2024, at 10:00 AM, Joe Smith <joe@example.com> wrote:\n> Hello'],
    ['Thunderbird', 'Thanks!\n', 'On 1/1/24 10:00, Joe Smith wrote:\n> Hello'],
    ['Zoho', 'Thanks!\n\n', '---- On Mon, 01 Jan 2024 10:00:00 +0100 Joe <joe@example.com> wrote ----\n\nHello'],
    ['mutt', 'Thanks!\n\n', 'On Mon, Jan 01, 2024 at 10:00:00AM +0100, Joe Smith wrote:\n> Hello'],
    ['a date alone, with quoted lines', 'Thanks!\n\n', 'On Jan 1, 2024, Joe Smith wrote:\n> Hello'],
    ['German', 'Danke!\n\n', 'Am 01.01.2024 um 10:00 schrieb Joe Smith <joe@example.com>:\n> Hallo'],
    ['French', 'Merci\n\n', 'Le lun. 1 janv. 2024 à 10:00, Joe Smith <joe@example.com> a écrit\u00a0:\n\n> Salut'],
    ['Spanish', 'Gracias\n\n', 'El lun, 1 ene 2024 a las 10:00, Joe Smith (<joe@example.com>) escribió:\n\n> Hola'],
    ['Italian', 'Grazie\n\n', 'Il giorno lun 1 gen 2024 alle ore 10:00 Joe Smith <joe@example.com> ha scritto:\n\n> Ciao'],
    ['Portuguese', 'Obrigado\n\n', 'Em seg., 1 de jan. de 2024 às 10:00, Joe Smith <joe@example.com> escreveu:\n\n> Olá'],
    ['Dutch', 'Bedankt\n\n', 'Op ma 1 jan 2024 om 10:00 schreef Joe Smith <joe@example.com>:\n\n> Hallo'],
    ['Dutch telephone', 'Bedankt\n\n', 'Op 1 jan. 2024 om 10:00 heeft Joe <joe@example.com> het volgende geschreven:\n\n> Hallo'],
    ['Danish', 'Tak\n\n', 'Den 1. jan. 2024 kl. 10.00 skrev Joe Smith <joe@example.com>:\n\n> Hej'],
    ['Swedish', 'Tack\n\n', 'Den mån 1 jan. 2024 kl 10:00 skrev Joe Smith <joe@example.com>:\n\n> Hej'],
    ['Finnish', 'Kiitos\n\n', 'ma 1. tammik. 2024 klo 10.00 Joe Smith (joe@example.com) kirjoitti:\n\n> Hei'],
    ['Polish', 'Dzięki\n\n', 'pon., 1 sty 2024 o 10:00 Joe Smith <joe@example.com> napisał(a):\n\n> Cześć'],
    ['Czech', 'Díky\n\n', 'po 1. 1. 2024 v 10:00 odesílatel Joe Smith <joe@example.com> napsal:\n\n> Ahoj'],
    ['Russian', 'Спасибо\n\n', 'пн, 1 янв. 2024 г. в 10:00, Joe Smith <joe@example.com>:\n\n> Привет'],
    ['Turkish', 'Teşekkürler\n\n', 'Joe Smith <joe@example.com>, 1 Oca 2024 Pzt, 10:00 tarihinde şunu yazdı:\n\n> Merhaba'],
    ['Chinese', '谢谢\n\n', 'Joe Smith <joe@example.com> 于2024年1月1日周一 10:00写道：\n\n> 你好'],
    ['Japanese', 'ありがとう\n\n', '2024年1月1日(月) 10:00 Joe Smith <joe@example.com>:\n\n> こんにちは'],
    ['Outlook', 'Thanks!\n\n', 'From: Joe Smith <joe@example.com>\nSent: Monday, January 1, 2024 10:00 AM\nTo: Anna ' +
      '<anna@example.org>\nSubject: Hello\n\nHello there'],
    ['Outlook, under a line', 'Thanks!\n\n',
      '________________________________\nFrom: Joe <joe@example.com>\nSent: Monday\nTo: Anna\nSubject: Hi\n\nHello'],
    ['Outlook, bold', 'Thanks!\n\n', '*From:* Joe <joe@example.com>\n*Sent:* Monday\n*To:* Anna\n*Subject:* Hi\n\nHello'],
    ['Outlook in German', 'Danke\n\n',
      'Von: Joe <joe@example.com>\nGesendet: Montag, 1. Januar 2024 10:00\nAn: Anna\nBetreff: Hallo\n\nHallo'],
    ['Outlook in French', 'Merci\n\n',
      'De : Joe <joe@example.com>\nEnvoyé : lundi 1 janvier 2024 10:00\nÀ : Anna\nObjet : Salut\n\nSalut'],
    ['GMX', 'Danke\n\n', 'Gesendet: Montag, 1. Januar 2024 um 10:00 Uhr\nVon: "Joe" <joe@example.com>\nAn: ' +
      'anna@example.org\nBetreff: Hallo\n\nHallo'],
    ['old Outlook', 'Thanks!\n\n', '-----Original Message-----\nFrom: Joe\nTo: Anna\n\nHello'],
    ['old Outlook in German', 'Danke\n\n', '-----Ursprüngliche Nachricht-----\nVon: Joe\n\nHallo'],
    ['a forward', 'See below\n\n',
      '---------- Forwarded message ---------\nFrom: Joe <joe@example.com>\nDate: Mon, Jan 1, 2024\nSubject: Hi\n\nHello'],
    ['an Apple forward', 'See below\n\n', 'Begin forwarded message:\n\n> From: Joe'],
    ['a ticket system', 'Thanks!\n\n', '##- Please type your reply above this line -##\n\nHello'],
    ['a mailing list', 'Thanks!\n\n',
      'On 1/1/24 10:00, Joe Smith wrote:\n> Hello\n\n_______________________________________________\nusers mailing ' +
        'list\nusers@example.org'],
    ['no mark but quotes', 'Thanks!\n\n', '> Hello\n> there'],
    ['nothing quoted', 'Thanks!', ''],
    ['only quoted', '', '> Hello\n> there'],
    ['only a forward', '', '---------- Forwarded message ---------\nFrom: Joe\n\nHello'],
    ['nothing', '', ''],
  ])('%s', (name, above, below) => {
    const split = splitReply(above + below)
    expect(split).toMatchObject({ reply: above.trim(), quotation: below, signature: '' })
    expect(split.confidence).toBe(/quotes|only quoted/.test(name) ? 'medium' : 'high')
    expect(splitReply((above + below).replaceAll('\n', '\r\n'))).toEqual(split)
  })

  it('is told with less confidence where no quoted line follows', () => {
    expect(splitReply('Thanks!\n\nOn Mon, Jan 1, 2024 at 10:00 AM Joe <joe@example.com> wrote:\n\nHello there')).toEqual({
      reply: 'Thanks!', quotation: 'On Mon, Jan 1, 2024 at 10:00 AM Joe <joe@example.com> wrote:\n\nHello there', signature: '',
        confidence: 'medium',
    })
  })
})

describe('an answer elsewhere', () => {
  it('below', () => {
    expect(splitReply('On 1/1/24 10:00, Joe wrote:\n> Hello\n> there\n\nThanks!\n\n-- \nAnna')).toEqual({
      reply: 'Thanks!', quotation: 'On 1/1/24 10:00, Joe wrote:\n> Hello\n> there', signature: '-- \nAnna', confidence: 'high',
    })
  })

  it('between', () => {
    expect(splitReply('Hi Joe\n\nOn 1/1/24 10:00, Joe wrote:\n> One?\n\nYes.\n\n> Two?\n> Three?\n\nNo.\n\n> Bye')).toEqual({
      reply: 'Hi Joe\n\nYes.\n\nNo.', quotation: 'On 1/1/24 10:00, Joe wrote:\n> One?\n\n> Two?\n> Three?\n\n> Bye',
      signature: '', confidence: 'low',
    })
  })

  it('above, with an older quotation above a newer mark', () => {
    expect(splitReply('> Old\n\nNew\n\n-----Original Message-----\nOld')).toMatchObject({ reply: 'New',
      quotation: '> Old\n\n-----Original Message-----\nOld' })
  })
})

describe('signatures', () => {
  it.each<[string, string]>([
    ['Thanks!\n\n', '-- \nAnna\nExample Inc.'],
    ['Thanks!\n\n', '--\nAnna'],
    ['Thanks!\n\n', 'Sent from my iPhone'],
    ['Danke\n\n', 'Von meinem iPhone gesendet'],
    ['Danke\n', 'Gesendet mit der GMX Mail App'],
    ['Merci\n\n', 'Envoyé de mon iPhone'],
    ['Thanks!\n\n', 'Get Outlook for iOS <https://aka.ms/x>'],
    ['Thanks!\n\n', 'Sent from Mail for Windows 10\n'],
  ])('%j %j', (reply, signature) => {
    for (const quotation of ['', 'On 1/1/24 10:00, Joe wrote:\n> Hello', '-----Original Message-----\nHello']) {
      expect(splitReply(`${reply}${signature}\n\n${quotation}`)).toMatchObject({ reply: reply.trim(),
        signature: signature.trim(), quotation })
    }
  })

  it('are not text below a line of two hyphens', () => {
    const text = `Hello\n--\n${'More\n'.repeat(30)}`.trim()
    expect(splitReply(text)).toMatchObject({ reply: text, signature: '' })
  })
})

describe('what is no mark', () => {
  it.each([
    'As she wrote:\nhello',
    'In 2020 he wrote:\nhello',
    'On the 5th of May he wrote:\nhello',
    'From: the start\nTo: the end',
    '----- Results -----\n1\n2',
    'Please call me on Monday at 10:00:\n0123',
    'Dear Joe <joe@example.com>:\nhello',
    'To: do\nDate: today\nSubject: none',
    'a > b\n  5 > 3',
  ])('%j', (text) => {
    expect(splitReply(text)).toEqual({ reply: text, quotation: '', signature: '', confidence: 'high' })
  })
})

describe('a text too long for a person', () => {
  const quotation = (lines: number): string => Array<string>(lines).fill('> x').join('\n')

  it.each([
    ['lines', quotation(49_999), `${quotation(50_000)}`],
    ['characters', `> ${'x'.repeat(999_990)}`, `> ${'x'.repeat(999_991)}`],
  ])('is left alone: %s', (_, most, more) => {
    expect(splitReply(`Answer.\n${most}`)).toMatchObject({ reply: 'Answer.', quotation: most })
    expect(splitReply(`Answer.\n${more}`)).toEqual({
      reply: `Answer.\n${more}`, quotation: '', signature: '', confidence: 'low',
    })
  })
})

describe('any text', () => {
  const pieces = [
    '> x', 'text', '', '-- ', '--', 'On 1/1/24 10:00, Joe wrote:', 'On 1/1/24 10:00', 'wrote:', 'From: a', 'Sent: b', 'To: c',
      '____________',
    '-----Original Message-----', 'Sent from my iPhone', '>', ' >', 'Joe <a@b> 10:00:', '   ',
  ]

  it('loses no line that holds text', () => {
    const sorted = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter((line) => line !== '').sort()
    fc.assert(fc.property(fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 30 }), (lines) => {
      const text = lines.join('\n').replace(/\r/g, '')
      const { reply, quotation, signature } = splitReply(text)
      expect(sorted([reply, quotation, signature].join('\n'))).toEqual(sorted(text))
    }), { numRuns: 1_000 })
  })

  it('over a million characters is left whole', () => {
    const text = 'a\n> b\n'.repeat(200_000)
    expect(splitReply(text)).toEqual({ reply: text, quotation: '', signature: '', confidence: 'low' })
  })

  it.each([
    '\n', '>\n', ':\n', 'a:\n', '-', '_', 'On 1 wrote', 'From: a\n', '1:11', '--\n', '>\na\n', 'On 1/1/24 10:00\n',
  ])('of nothing but %j takes linear time', (piece) => {
    splitReply(piece.repeat(500_000 / piece.length))
  })
})
