import { mail, type OddCase } from './case.ts'

/** A multipart of that subtype with those parts, each a list of lines. */
const multipart = (subtype: string, ...parts: string[][]): string =>
  mail(`Content-Type: multipart/${subtype}; boundary=b`, '', ...parts.flatMap((lines) => ['--b', ...lines]), '--b--', '')

/** What holds other things: digests, reports, forwards, signatures. */
export const containers: readonly OddCase[] = [
  {
    name: 'a digest: parts are messages unless they say otherwise',
    message: multipart('digest', ['', 'From: a@example.org', 'Subject: one', '', 'text one'],
      ['Content-Type: text/plain', '', 'a table of contents'], ['X-Odd: yes', '', 'Subject: two', '', 'text two']),
    structure: [
      'multipart/digest 0-46-206 17',
      '  message/rfc822 51-53-98 3 message',
      '    text/plain 53-90-98 0',
      '  text/plain 105-133-152 0',
      '  message/rfc822 159-173-197 2 message',
      '    text/plain 173-189-197 0',
    ],
    oddities: [],
    bodyStructure:
      '(("message" "rfc822" NIL NIL NIL "7bit" 45 (NIL "one" ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")' +
      ') ((NIL NIL "a" "example.org")) NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 8 0 ' +
      'NIL NIL NIL NIL) 3 NIL NIL NIL NIL)("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 19 0 NIL NIL NIL NIL)' +
      '("message" "rfc822" NIL NIL NIL "7bit" 24 (NIL "two" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ' +
      '("charset" "us-ascii") NIL NIL "7bit" 8 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL) "digest" ("boundary" "b") NIL NIL ' +
      'NIL)',
  },
  {
    name: 'an empty digest part',
    message: multipart('digest', ['', ''], []),
    structure: [
      'multipart/digest 0-46-67 5',
      '  message/rfc822 51-53-55 1 message',
      '    text/plain 53-53-53 0',
      '  message/rfc822 60-60-60 0 message',
      '    text/plain 60-60-60 0',
    ],
    oddities: ['unended-header'],
    bodyStructure:
      '(("message" "rfc822" NIL NIL NIL "7bit" 2 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" ' +
      '"us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) 1 NIL NIL NIL NIL)("message" "rfc822" NIL NIL NIL "7bit" 0 (NIL ' +
      'NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) ' +
      '0 NIL NIL NIL NIL) "digest" ("boundary" "b") NIL NIL NIL)',
  },
  {
    name: 'a report of failed delivery with a message of headers',
    message: multipart('report; report-type=delivery-status', ['', 'It failed.'],
      ['Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; mx.example.org', '',
        'Final-Recipient: rfc822; a@example.org', 'Action: failed'],
      ['Content-Type: text/rfc822-headers', '', 'Subject: x', '']),
    structure: [
      'multipart/report 0-75-297 16',
      '  text/plain 80-82-92 0',
      '  message/delivery-status 99-140-232 3',
      '  text/rfc822-headers 239-276-288 1',
    ],
    oddities: [],
    attachments: 0,
    preview: 'It failed.',
  },
  {
    name: 'message/partial and message/external-body are leaves',
    message: multipart('mixed', ['Content-Type: message/partial; id="x@y"; number=1; total=2', '', 'Subject: x', '',
      'half a'],
      ['Content-Type: message/external-body; access-type=local-file', '', 'Content-Type: text/plain', '', 'phantom']),
    structure: [
      'multipart/mixed 0-45-246 13',
      '  message/partial 50-112-132 2',
      '  message/external-body 139-202-237 2',
    ],
    oddities: [],
    attachments: 2,
  },
  {
    name: 'related: images that the text shows are no attachments',
    message: multipart('related; type="text/html"', ['Content-Type: text/html', '', '<img src="cid:a@b">'],
      ['Content-Type: image/png; name=a.png', 'Content-ID: <a@b>', 'Content-Disposition: inline; filename=a.png',
        'Content-Transfer-Encoding: base64', '', 'AAAA']),
    structure: [
      'multipart/related 0-65-274 12',
      '  text/html 70-97-116 0',
      '  image/png 123-261-265 0 base64',
    ],
    oddities: [],
    attachments: 0,
    preview: '',
  },
  {
    name: 'signed: the signature is no attachment',
    message: multipart('signed; micalg=pgp-sha256; protocol="application/pgp-signature"', ['Content-Type: text/plain',
      '', 'signed text'],
      ['Content-Type: application/pgp-signature; name="signature.asc"', 'Content-Disposition: attachment', '',
        '-----BEGIN PGP SIGNATURE-----', '--', '-----END']),
    structure: [
      'multipart/signed 0-103-304 12',
      '  text/plain 108-136-147 0',
      '  application/pgp-signature 154-252-295 2',
    ],
    oddities: [],
    attachments: 0,
    preview: 'signed text',
  },
  {
    name: 'encrypted: nobody can tell what is in it',
    message: multipart('encrypted; protocol="application/pgp-encrypted"', ['Content-Type: application/pgp-encrypted',
      '', 'Version: 1'],
      ['Content-Type: application/octet-stream; name="encrypted.asc"', '', '-----BEGIN PGP MESSAGE-----']),
    structure: [
      'multipart/encrypted 0-87-252 9',
      '  application/pgp-encrypted 92-135-145 0',
      '  application/octet-stream 152-216-243 0',
    ],
    oddities: [],
    attachments: 0,
    preview: '',
  },
  {
    name: 'TNEF',
    message: multipart('mixed', ['', 'see winmail.dat'],
      ['Content-Type: application/ms-tnef; name="winmail.dat"', 'Content-Transfer-Encoding: base64', '', 'eJ8+IgAA']),
    structure: [
      'multipart/mixed 0-45-183 9',
      '  text/plain 50-52-67 0',
      '  application/ms-tnef 74-166-174 0 base64',
    ],
    oddities: [],
    attachments: 1,
  },
  {
    name: 'AppleDouble',
    message: multipart('mixed', ['', 'text'], ['Content-Type: multipart/appledouble; boundary=c', '',
      '--c', 'Content-Type: application/applefile; name="%a"', 'Content-Transfer-Encoding: base64', '', 'AAUWBw==',
      '--c', 'Content-Type: image/jpeg; name=a.jpg', 'Content-Transfer-Encoding: base64', '', '/9j/', '--c--', '']),
    structure: [
      'multipart/mixed 0-45-316 19',
      '  text/plain 50-52-56 0',
      '  multipart/appledouble 63-114-307 11',
      '    application/applefile 119-204-212 0 base64',
      '    image/jpeg 219-294-298 0 base64',
    ],
    oddities: [],
    attachments: 1,
  },
  {
    name: 'a forward, its text like a delimiter of the outer message',
    message: multipart('mixed', ['', 'see below'], ['Content-Type: message/rfc822', 'Content-Disposition: attachment', '',
      'From: a@example.org', 'Subject: forwarded', 'Content-Type: multipart/mixed; boundary=c', '', '--c', '', 'inner',
        '--c', 'Content-Type: application/pdf', '', 'x', '--c--']),
    structure: [
      'multipart/mixed 0-45-288 20',
      '  text/plain 50-52-61 0',
      '  message/rfc822 68-133-281 12 message',
      '    multipart/mixed 133-219-281 8',
      '      text/plain 224-226-231 0',
      '      application/pdf 238-271-272 0',
    ],
    oddities: [],
    bodyStructure:
      '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 9 0 NIL NIL NIL NIL)("message" "rfc822" NIL NIL NIL ' +
      '"7bit" 148 (NIL "forwarded" ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" ' +
      '"example.org")) NIL NIL NIL NIL NIL) (("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 0 NIL NIL NIL NIL)' +
      '("application" "pdf" NIL NIL NIL "7bit" 1 NIL NIL NIL NIL) "mixed" ("boundary" "c") NIL NIL NIL) 12 NIL ' +
      '("attachment" NIL) NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)',
    attachments: 1,
    preview: 'see below',
  },
  {
    name: 'a forward in base64 is read as if it were not encoded',
    message: multipart('mixed', ['Content-Type: message/rfc822', 'Content-Transfer-Encoding: base64', '',
      'U3ViamVjdDogeA0KDQp0ZXh0DQo=']),
    structure: [
      'multipart/mixed 0-45-154 6',
      '  message/rfc822 50-117-147 1 message base64',
      '    text/plain 117-145-145 0',
    ],
    oddities: ['encoded-container', 'unended-header', 'stray-line'],
    bodyStructure:
      '(("message" "rfc822" NIL NIL NIL "base64" 30 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ' +
      '("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) 1 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL ' +
      'NIL)',
  },
  {
    name: 'a forward without a header, and one without anything',
    message: multipart('mixed', ['Content-Type: message/rfc822', '', '', 'text'], ['Content-Type: message/rfc822', '']),
    structure: [
      'multipart/mixed 0-45-134 9',
      '  message/rfc822 50-82-88 1 message',
      '    text/plain 82-84-88 0',
      '  message/rfc822 95-125-125 0 message',
      '    text/plain 125-125-125 0',
    ],
    oddities: ['unended-header'],
    bodyStructure:
      '(("message" "rfc822" NIL NIL NIL "7bit" 6 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" ' +
      '"us-ascii") NIL NIL "7bit" 4 0 NIL NIL NIL NIL) 1 NIL NIL NIL NIL)("message" "rfc822" NIL NIL NIL "7bit" 0 (NIL ' +
      'NIL NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) ' +
      '0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)',
  },
  {
    name: 'a multipart in quoted-printable is read as if it were not encoded',
    message: mail('Content-Type: multipart/mixed; boundary="=b"', 'Content-Transfer-Encoding: quoted-printable', '',
      '--=b', '', 'one', '--=b--', ''),
    structure: [
      'multipart/mixed 0-93-114 4 quoted-printable',
      '  text/plain 99-101-104 0',
    ],
    oddities: ['encoded-container'],
  },
  {
    name: 'a message that is a message',
    message: mail('Subject: outer', 'Content-Type: message/rfc822', '', 'Subject: inner',
      'Content-Type: message/rfc822', '', 'Subject: innermost', '', 'text', ''),
    structure: [
      'message/rfc822 0-48-124 6 message',
      '  message/rfc822 48-96-124 3 message',
      '    text/plain 96-118-124 1',
    ],
    oddities: [],
    bodyStructure:
      '("message" "rfc822" NIL NIL NIL "7bit" 76 (NIL "inner" NIL NIL NIL NIL NIL NIL NIL NIL) ("message" "rfc822" NIL ' +
      'NIL NIL "7bit" 28 (NIL "innermost" NIL NIL NIL NIL NIL NIL NIL NIL) ("text" "plain" ("charset" "us-ascii") NIL ' +
      'NIL "7bit" 6 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL) 6 NIL NIL NIL NIL)',
    attachments: 1,
  },
  {
    name: 'message/global is a message; IMAP4rev1 sees a leaf',
    message: multipart('mixed', ['Content-Type: message/global', '', 'Subject: gr\xc3\xbc\xc3\x9fe', '', 'text']),
    structure: [
      'multipart/mixed 0-45-115 7',
      '  message/global 50-82-106 2 message',
      '    text/plain 82-102-106 0',
    ],
    oddities: ['8bit-header'],
    bodyStructure: '(("message" "global" NIL NIL NIL "7bit" 24 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)',
  },
  {
    name: 'a multipart of nothing but multiparts',
    message: multipart('mixed', ['Content-Type: multipart/alternative; boundary=c', '', '--c',
      'Content-Type: multipart/related; boundary=d', '', '--d--', '--c--', '']),
    structure: [
      'multipart/mixed 0-45-176 10',
      '  multipart/alternative 50-101-167 5',
      '    multipart/related 106-153-160 1',
    ],
    oddities: [],
    bodyStructure:
      '(((("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) "related" ("boundary" "d") NIL ' +
      'NIL NIL) "alternative" ("boundary" "c") NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)',
    preview: '',
  },
  {
    name: 'attachments: a calendar, an inline text with a name, an image alone',
    message: multipart('mixed', ['Content-Type: text/calendar; method=REQUEST', '', 'BEGIN:VCALENDAR'],
      ['Content-Type: text/plain', 'Content-Disposition: inline; filename="notes.txt"', '', 'notes'],
        ['Content-Type: image/gif', '', 'GIF89a']),
    structure: [
      'multipart/mixed 0-45-252 14',
      '  text/calendar 50-97-112 0',
      '  text/plain 119-198-203 0',
      '  image/gif 210-237-243 0',
    ],
    oddities: [],
    attachments: 2,
    preview: 'notes',
  },
]
