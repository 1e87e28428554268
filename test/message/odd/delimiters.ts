import { mail, type OddCase } from './case.ts'

/** A multipart with that boundary parameter and body. */
const mixed = (parameters: string, ...body: string[]): string => mail(`Content-Type: multipart/mixed${parameters}`, '', ...body)

/** Boundaries that are missing, alike, misspelt. */
export const delimiters: readonly OddCase[] = [
  {
    name: 'no boundary parameter',
    message: mixed('', '--b', '', 'text', '--b--', ''),
    structure: ['multipart/mixed 0-33-53 4'],
    oddities: ['no-boundary'],
    bodyStructure: '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) "mixed" NIL NIL NIL NIL)',
  },
  {
    name: 'a boundary that never comes',
    message: mixed('; boundary=b', 'text', '--c', '', 'text', ''),
    structure: ['multipart/mixed 0-45-64 4'],
    oddities: ['empty-multipart'],
    bodyStructure:
      '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL ' +
      'NIL)',
  },
  {
    name: 'a last delimiter and nothing else',
    message: mixed('; boundary=b', '--b--', ''),
    structure: ['multipart/mixed 0-45-52 1'],
    oddities: [],
    bodyStructure:
      '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL ' +
      'NIL)',
  },
  {
    name: 'no last delimiter',
    message: mixed('; boundary=b', '--b', '', 'one', '--b', '', 'two', ''),
    structure: [
      'multipart/mixed 0-45-69 6',
      '  text/plain 50-52-55 0',
      '  text/plain 62-64-69 1',
    ],
    oddities: ['unended-multipart'],
  },
  {
    name: 'a delimiter as the last line, without a line end',
    message: mixed('; boundary=b', '--b', '', 'one', '--b'),
    structure: [
      'multipart/mixed 0-45-60 3',
      '  text/plain 50-52-55 0',
    ],
    oddities: ['unended-multipart'],
  },
  {
    name: 'preamble and epilogue',
    message: mixed('; boundary=b', 'This is a multipart.', '', '--b', '', 'one', '--b--', 'epilogue', '--b', '',
      'still epilogue', ''),
    structure: [
      'multipart/mixed 0-45-121 10',
      '  text/plain 74-76-79 0',
    ],
    oddities: [],
    preview: 'one',
  },
  {
    name: 'parts without an empty line, without a header, without anything',
    message: mixed('; boundary=b', '--b', 'Content-Type: text/html', '--b', '', '--b', '--b', '', '', '--b--', ''),
    structure: [
      'multipart/mixed 0-45-103 9',
      '  text/html 50-73-73 0',
      '  text/plain 80-80-80 0',
      '  text/plain 87-87-87 0',
      '  text/plain 92-94-94 0',
    ],
    oddities: ['unended-header'],
  },
  {
    name: 'blanks behind delimiters',
    message: mixed('; boundary=b', '--b \t', '', 'one', '--b-- ', ''),
    structure: [
      'multipart/mixed 0-45-67 4',
      '  text/plain 52-54-57 0',
    ],
    oddities: [],
  },
  {
    name: 'more behind a delimiter than blanks: the beginning is enough',
    message: mixed('; boundary=b', '--bcd', '', 'one', '--b--cd', ''),
    structure: [
      'multipart/mixed 0-45-68 4',
      '  text/plain 52-54-57 0',
    ],
    oddities: [],
  },
  {
    name: 'blanks before a delimiter, and one dash only',
    message: mixed('; boundary=b', '--b', '', 'one', ' --b', '-b', '- --b', '--b--', ''),
    structure: [
      'multipart/mixed 0-45-81 7',
      '  text/plain 50-52-72 3',
    ],
    oddities: [],
  },
  {
    name: 'bare LF around delimiters, in a message with CRLF',
    message: 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\n\none\n--b\r\n\r\ntwo\r\n\r\n--b--\n',
    structure: [
      'multipart/mixed 0-45-74 8',
      '  text/plain 49-50-53 0',
      '  text/plain 59-61-66 1',
    ],
    oddities: ['bare-lf-in-header'],
  },
  {
    name: 'CR alone does not begin a line',
    message: 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r--b\r\n--b--\r\n',
    structure: [
      'multipart/mixed 0-45-68 4',
      '  text/plain 50-52-59 0',
    ],
    oddities: [],
  },
  {
    name: 'a quoted boundary with specials and blanks',
    message: mixed('; boundary="a (b)/:=?, \\"c\\""', '--a (b)/:=?, "c"', '', 'one', '--a (b)/:=?, "c"--', ''),
    structure: [
      'multipart/mixed 0-62-107 4',
      '  text/plain 80-82-85 0',
    ],
    oddities: [],
  },
  {
    name: 'a boundary that ends in blanks needs them',
    message: mixed('; boundary="b "', '--b', '', 'not', '--b ', '', 'one', '--b --', ''),
    structure: [
      'multipart/mixed 0-48-81 7',
      '  text/plain 66-68-71 0',
    ],
    oddities: ['boundary'],
  },
  {
    name: 'an empty boundary: whatever begins with two dashes',
    message: mixed('; boundary=""', '--', '', 'one', '--x', '', 'two', '----', ''),
    structure: [
      'multipart/mixed 0-46-75 7',
      '  text/plain 50-52-55 0',
      '  text/plain 62-64-67 0',
    ],
    oddities: ['boundary'],
  },
  {
    name: 'an unquoted boundary with `=` ends there, and the rest still fits',
    message: mixed('; boundary=--=_x', '----=_x', '', 'one', '----=_x--', ''),
    structure: [
      'multipart/mixed 0-49-76 4',
      '  text/plain 58-60-63 0',
      '  text/plain 76-76-76 0',
    ],
    oddities: ['unended-header', 'unended-multipart'],
  },
  {
    name: '=3D in a boundary is not decoded',
    message: mixed('; boundary="=3Db"', '--=b', '', 'not', '--=3Db', '', 'one', '--=3Db--', ''),
    structure: [
      'multipart/mixed 0-50-88 7',
      '  text/plain 71-73-76 0',
    ],
    oddities: [],
  },
  {
    name: 'a boundary in a folded, commented parameter',
    message: mixed(';\r\n\tcharset=x;\r\n boundary\r\n =\r\n\t(fold)\r\n "b\r\n b" (end)', '--b b', '', 'one',
      '--b b--', ''),
    structure: [
      'multipart/mixed 0-87-110 4',
      '  text/plain 94-96-99 0',
    ],
    oddities: [],
  },
  {
    name: 'two boundary parameters: the first counts',
    message: mixed('; boundary=a; boundary=b', '--b', '', 'not', '--a', '', 'one', '--a--', ''),
    structure: [
      'multipart/mixed 0-57-88 7',
      '  text/plain 74-76-79 0',
    ],
    oddities: [],
  },
  {
    name: 'a boundary of 70 octets, and one of 90, of which 80 count',
    message: mixed(`; boundary=${'x'.repeat(70)}`, `--${'x'.repeat(70)}`,
      `Content-Type: multipart/mixed; boundary="${'y'.repeat(90)}"`, '',
      `--${'y'.repeat(80)}z`, '', 'one', `--${'y'.repeat(80)}--`, `--${'x'.repeat(70)}--`, ''),
    structure: [
      'multipart/mixed 0-114-578 8',
      '  multipart/mixed 188-324-502 4',
      '    text/plain 409-411-414 0',
    ],
    oddities: ['boundary'],
  },
  {
    name: 'an 8-bit boundary',
    message: mixed('; boundary="b\xfc"', '--b\xfc', '', 'one', '--b\xfc--', ''),
    structure: [
      'multipart/mixed 0-48-69 4',
      '  text/plain 54-56-59 0',
    ],
    oddities: ['8bit-header'],
  },
  {
    name: 'the inner boundary begins like the outer one',
    message: mixed('; boundary=outer', '--outer', 'Content-Type: multipart/mixed; boundary=outer1', '', '--outer1', '',
      'one', '--outer1--', '--outer--', ''),
    structure: [
      'multipart/mixed 0-49-148 8',
      '  multipart/mixed 58-108-137 4',
      '    text/plain 118-120-123 0',
    ],
    oddities: [],
  },
  {
    name: 'the outer boundary begins like the inner one',
    message: mixed('; boundary=outer1', '--outer1', 'Content-Type: multipart/mixed; boundary=outer', '', '--outer', '',
      'one', '--outer--', '--outer1--', ''),
    structure: [
      'multipart/mixed 0-50-148 8',
      '  multipart/mixed 60-109-136 4',
      '    text/plain 118-120-123 0',
    ],
    oddities: [],
  },
  {
    name: 'both have the same boundary: the inner one takes it',
    message: mixed('; boundary=b', '--b', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'one', '--b--',
      '', '--b', '', 'two', '--b--', ''),
    structure: [
      'multipart/mixed 0-45-135 12',
      '  multipart/mixed 50-95-114 4',
      '    text/plain 100-102-105 0',
      '  text/plain 121-123-126 0',
    ],
    oddities: [],
  },
  {
    name: 'a boundary that ends in dashes, of a parent without them',
    message: mixed('; boundary=b', '--b', 'Content-Type: multipart/mixed; boundary="b--"', '', '--b--', '', 'one',
      '--b----', '--b--', ''),
    structure: [
      'multipart/mixed 0-45-129 8',
      '  multipart/mixed 50-99-122 4',
      '    text/plain 106-108-111 0',
    ],
    oddities: [],
  },
  {
    name: 'an inner multipart that an outer delimiter ends',
    message: mixed('; boundary=a', '--a', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'one', '--a', '',
      'two', '--a--', ''),
    structure: [
      'multipart/mixed 0-45-126 10',
      '  multipart/mixed 50-95-105 2',
      '    text/plain 100-102-105 0',
      '  text/plain 112-114-117 0',
    ],
    oddities: ['unended-multipart'],
  },
  {
    name: 'an inner multipart that an outer delimiter ends before it begins, in its header',
    message: mixed('; boundary=a', '--a', 'Content-Type: multipart/mixed; boundary=b', '--a',
      'Content-Type: message/rfc822', '--a', 'X: y', '', '--a--', ''),
    structure: [
      'multipart/mixed 0-45-148 8',
      '  multipart/mixed 50-91-91 0',
      '  message/rfc822 98-126-126 0 message',
      '    text/plain 126-126-126 0',
      '  text/plain 133-139-139 0',
    ],
    oddities: ['unended-header', 'empty-multipart'],
  },
  {
    name: 'the inner delimiter right behind the outer one',
    message: mixed('; boundary=a', '--a', 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'one', '--b--',
      '--a--', ''),
    structure: [
      'multipart/mixed 0-45-121 8',
      '  multipart/mixed 50-95-114 4',
      '    text/plain 100-102-105 0',
    ],
    oddities: [],
  },
  {
    name: 'a boundary in the header of the message, where it is none',
    message: mail('Content-Type: multipart/mixed; boundary=b', '--b', 'Subject: x', '', '--b', '', 'one', '--b--', ''),
    structure: [
      'multipart/mixed 0-62-81 4',
      '  text/plain 67-69-72 0',
    ],
    oddities: ['stray-line'],
    envelope: '(NIL "x" NIL NIL NIL NIL NIL NIL NIL NIL)',
  },
]
