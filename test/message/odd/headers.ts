import { mail, type OddCase } from './case.ts'

/** Headers that are missing, broken or out of measure. */
export const headers: readonly OddCase[] = [
  {
    name: 'no octets at all',
    message: '',
    structure: ['text/plain 0-0-0 0'],
    oddities: ['unended-header'],
    envelope: '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)',
    bodyStructure: '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)',
  },
  {
    name: 'one line end',
    message: '\r\n',
    structure: ['text/plain 0-2-2 0'],
    oddities: [],
  },
  {
    name: 'one octet',
    message: 'x',
    structure: ['text/plain 0-1-1 0'],
    oddities: ['unended-header', 'stray-line'],
  },
  {
    name: 'no header: the text begins at once, and is taken for one up to its first empty line',
    message: mail('Hello,', 'this is no header.', '', 'This is the body.', ''),
    structure: ['text/plain 0-30-49 1'],
    oddities: ['stray-line'],
    preview: 'This is the body.',
  },
  {
    name: 'no header but its empty line',
    message: mail('', 'text', ''),
    structure: ['text/plain 0-2-8 1'],
    oddities: [],
    preview: 'text',
  },
  {
    name: 'no body',
    message: mail('From: a@example.org', 'Subject: empty', '', ''),
    structure: ['text/plain 0-39-39 0'],
    oddities: [],
    envelope:
      '(NIL "empty" ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) NIL NIL ' +
      'NIL NIL NIL)',
  },
  {
    name: 'a header alone, without its empty line',
    message: mail('From: a@example.org', 'Subject: cut off', ''),
    structure: ['text/plain 0-39-39 0'],
    oddities: ['unended-header'],
    envelope:
      '(NIL "cut off" ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) NIL ' +
      'NIL NIL NIL NIL)',
  },
  {
    name: 'a header cut off within a line',
    message: mail('From: a@example.org', 'Subj'),
    structure: ['text/plain 0-25-25 0'],
    oddities: ['unended-header', 'stray-line'],
    envelope:
      '(NIL NIL ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) NIL NIL NIL ' +
      'NIL NIL)',
  },
  {
    name: 'a header cut off between CR and LF',
    message: 'From: a@example.org\r\n\r',
    structure: ['text/plain 0-22-22 0'],
    oddities: ['bare-cr-in-header', 'unended-header', 'stray-line'],
    envelope:
      '(NIL NIL ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) NIL NIL NIL ' +
      'NIL NIL)',
  },
  {
    name: 'an mbox From line above the header',
    message: mail('From a@example.org Mon Aug 26 10:00:00 2002', 'From: a@example.org', '', 'text', ''),
    structure: ['text/plain 0-68-74 1'],
    oddities: ['mbox-from'],
    envelope:
      '(NIL NIL ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) NIL NIL NIL ' +
      'NIL NIL)',
  },
  {
    name: 'a quoted mbox From line',
    message: mail('>From a@example.org Mon Aug 26 10:00:00 2002', 'Subject: x', '', 'text', ''),
    structure: ['text/plain 0-60-66 1'],
    oddities: ['mbox-from'],
  },
  {
    name: 'bare LF everywhere',
    message: 'From: a@example.org\nSubject: unix\n\nline one\nline two\n',
    structure: ['text/plain 0-35-53 2'],
    oddities: ['bare-lf-in-header'],
    envelope:
      '(NIL "unix" ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) NIL NIL ' +
      'NIL NIL NIL)',
    preview: 'line one line two',
  },
  {
    name: 'line ends of both kinds, a folded field among them',
    message: 'From: a@example.org\r\nSubject: mixed\n\tline ends\r\n\nline one\r\nline two\n',
    structure: ['text/plain 0-49-68 2'],
    oddities: ['bare-lf-in-header'],
    envelope:
      '(NIL "mixed line ends" ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org"))' +
      ' NIL NIL NIL NIL NIL)',
  },
  {
    name: 'bare CR is no line end: all of it is one field',
    message: 'From: a@example.org\rSubject: old mac\r\rtext\r',
    structure: ['text/plain 0-43-43 0'],
    oddities: ['bare-cr-in-header', 'unended-header'],
    envelope:
      '(NIL NIL ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) NIL NIL NIL ' +
      'NIL NIL)',
  },
  {
    name: 'CR CR LF, as text mode makes of CRLF',
    message: 'From: a@example.org\r\r\nSubject: doubled\r\r\n\r\r\ntext\r\r\n',
    structure: ['text/plain 0-51-51 0'],
    oddities: ['bare-cr-in-header', 'unended-header', 'stray-line'],
    envelope:
      '(NIL "doubled" ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) NIL ' +
      'NIL NIL NIL NIL)',
  },
  {
    name: '8-bit octets in header fields, of two charsets',
    message: mail('From: Andr\xe9 <a@example.org>', 'Subject: na\xc3\xafve', '', 'text', ''),
    structure: ['text/plain 0-48-54 1'],
    oddities: ['8bit-header'],
    envelope:
      '(NIL {6}\r\nna\xc3\xafve (({5}\r\nAndr\xe9 NIL "a" "example.org")) (({5}\r\nAndr\xe9 NIL "a" "example.org")) ' +
      '(({5}\r\nAndr\xe9 NIL "a" "example.org")) NIL NIL NIL NIL NIL)',
  },
  {
    name: 'a name that is 8-bit',
    message: mail('From: a@example.org', 'Betr\xe4ff: x', '', 'text', ''),
    structure: ['text/plain 0-35-41 1'],
    oddities: ['8bit-header'],
  },
  {
    name: 'octets 0 in fields and body',
    message: mail('From: "a\0b" <a@example.org>', 'Subject: nul\0here', 'Message-ID: <\0@x>', '', 'te\0xt', ''),
    structure: ['text/plain 0-69-76 1 nul'],
    oddities: ['nul-in-header'],
    envelope:
      '(NIL {10}\r\nnul\xef\xbf\xbdhere (({5}\r\na\xef\xbf\xbdb NIL "a" "example.org")) (({5}\r\na\xef\xbf\xbdb NIL "a" ' +
      '"example.org")) (({5}\r\na\xef\xbf\xbdb NIL "a" "example.org")) NIL NIL NIL NIL {7}\r\n<\xef\xbf\xbd@x>)',
  },
  {
    name: 'fields that came twice: addresses add up, of the rest the last counts',
    message: mail('From: a@example.org', 'Subject: one', 'To: b@example.org', 'From: c@example.org', 'Subject: two',
      'To: d@example.org',
      'Message-ID: <1@x>', 'Message-ID: <2@x>', '', 'text', ''),
    structure: ['text/plain 0-148-154 1'],
    oddities: ['repeated-field'],
    envelope:
      '(NIL "two" ((NIL NIL "a" "example.org")(NIL NIL "c" "example.org")) ((NIL NIL "a" "example.org")(NIL NIL "c" ' +
      '"example.org")) ((NIL NIL "a" "example.org")(NIL NIL "c" "example.org")) ((NIL NIL "b" "example.org")(NIL NIL ' +
      '"d" "example.org")) NIL NIL NIL "<2@x>")',
  },
  {
    name: 'content fields that came twice: the first counts',
    message: mail('Content-Type: text/html', 'Content-Type: text/plain', 'Content-Transfer-Encoding: nonsense here',
      'Content-Transfer-Encoding: base64', 'Content-Disposition: inline', 'Content-Disposition: attachment; filename=a',
        '', 'eA==', ''),
    structure: ['text/html 0-204-210 1 base64'],
    oddities: ['repeated-field'],
    bodyStructure: '("text" "html" ("charset" "us-ascii") NIL NIL "base64" 6 1 NIL ("attachment" ("filename" "a")) NIL NIL)',
    attachments: 1,
  },
  {
    name: 'blanks before the colon, names in any case',
    message: mail('FROM : a@example.org', 'suBJect\t: spaced', 'content-TYPE : text/html', '', 'text', ''),
    structure: ['text/html 0-68-74 1'],
    oddities: [],
    envelope:
      '(NIL "spaced" ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) ((NIL NIL "a" "example.org")) NIL NIL ' +
      'NIL NIL NIL)',
  },
  {
    name: 'a field without a name, a line without a colon, a field of nothing',
    message: mail(': nothing', 'no colon', 'Subject:', 'Date:   ', '', 'text', ''),
    structure: ['text/plain 0-43-49 1'],
    oddities: ['stray-line'],
    envelope: '("  " "" NIL NIL NIL NIL NIL NIL NIL NIL)',
  },
  {
    name: 'a continuation before any field',
    message: mail(' folded: from nothing', '\tagain', 'Subject: x', '', 'text', ''),
    structure: ['text/plain 0-45-51 1'],
    oddities: [],
    envelope: '(NIL "x" NIL NIL NIL NIL NIL NIL NIL NIL)',
  },
  {
    name: 'folds in odd places: before the value, of blanks only, at the end of the header',
    message: mail('Subject:', ' folded', ' ', '\t twice', 'Date:', '\tMon, 2 Jan 2023', ' 10:00:00 +0000',
      'Message-ID: <a@x>', ' ', '', 'text', ''),
    structure: ['text/plain 0-97-103 1'],
    oddities: [],
    envelope: '("\tMon, 2 Jan 2023 10:00:00 +0000" "folded twice" NIL NIL NIL NIL NIL NIL NIL "<a@x> ")',
  },
  {
    name: 'a subject of blanks, tabs and line ends is one line',
    message: mail('Subject:   a \t b', '   c  ', '\t', '', 'text', ''),
    structure: ['text/plain 0-31-37 1'],
    oddities: [],
    envelope: '(NIL "a b c" NIL NIL NIL NIL NIL NIL NIL NIL)',
  },
  {
    name: 'quotes and backslashes, few and many',
    message: mail('Subject: a "b" \\ c', 'Message-ID: <"""\\\\\\"@x>', '', 'text', ''),
    structure: ['text/plain 0-47-53 1'],
    oddities: [],
    envelope: '(NIL "a \\"b\\" \\\\ c" NIL NIL NIL NIL NIL NIL NIL {11}\r\n<"""\\\\\\"@x>)',
  },
  {
    name: 'encoded words stay as they are',
    message: mail('From: =?utf-8?q?J=C3=B6rg?= <a@example.org>', 'Subject: =?utf-8?b?w5w=?= and =?x?y?z', '', 'text', ''),
    structure: ['text/plain 0-86-92 1'],
    oddities: [],
    envelope:
      '(NIL "=?utf-8?b?w5w=?= and =?x?y?z" (("=?utf-8?q?J=C3=B6rg?=" NIL "a" "example.org")) (("=?utf-8?q?J=C3=B6rg?=" ' +
      'NIL "a" "example.org")) (("=?utf-8?q?J=C3=B6rg?=" NIL "a" "example.org")) NIL NIL NIL NIL NIL)',
  },
  {
    name: 'Content fields without MIME-Version and Content-Type are not MIME',
    message: mail('Subject: x', 'Content-Transfer-Encoding: base64', 'Content-ID: <x@y>', '', 'eA==', ''),
    structure: ['text/plain 0-68-74 1'],
    oddities: [],
    bodyStructure: '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 6 1 NIL NIL NIL NIL)',
  },
  {
    name: 'MIME-Version alone makes them so',
    message: mail('MIME-Version: 1.0 (made up)', 'Content-Transfer-Encoding: base64', 'Content-ID: <x@y>', '', 'eA==',
      ''),
    structure: ['text/plain 0-85-91 1 base64'],
    oddities: [],
    bodyStructure: '("text" "plain" ("charset" "us-ascii") "<x@y>" NIL "base64" 6 1 NIL NIL NIL NIL)',
    preview: 'x',
  },
  {
    name: 'a field name of a thousand octets, a field of one octet',
    message: mail(`${'X'.repeat(1000)}: long`, 'Y:', 'Subject: x', '', 'text', ''),
    structure: ['text/plain 0-1026-1032 1'],
    oddities: [],
    envelope: '(NIL "x" NIL NIL NIL NIL NIL NIL NIL NIL)',
  },
]
