import { mail, type OddCase } from './case.ts'

/** Addresses that break the grammar, and what the envelope makes of them. */
export const addresses: readonly OddCase[] = [
  {
    name: 'groups, empty, nested and without an end',
    message: mail('To: friends: a@example.org, "B" <b@example.org>;, none:;', 'Cc: undisclosed-recipients:;',
      'Bcc: open: c@example.org', '', ''),
    structure: ['text/plain 0-116-116 0'],
    oddities: [],
    envelope:
      '(NIL NIL NIL NIL NIL ((NIL NIL "friends" NIL)(NIL NIL "a" "example.org")("B" NIL "b" "example.org")(NIL NIL NIL ' +
      'NIL)(NIL NIL "none" NIL)(NIL NIL NIL NIL)) ((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)) ((NIL NIL ' +
      '"open" NIL)(NIL NIL "c" "example.org")(NIL NIL NIL NIL)) NIL NIL)',
  },
  {
    name: 'no domain, no local part, no address',
    message: mail('From: root', 'To: <>', 'Cc: @example.org, a@', 'Bcc: Just A Name', 'Reply-To: ,', 'Sender:', '', ''),
    structure: ['text/plain 0-84-84 0'],
    oddities: [],
    envelope:
      '(NIL NIL ((NIL NIL "root" "MISSING_DOMAIN")) ((NIL NIL "root" "MISSING_DOMAIN")) ((NIL NIL "MISSING_MAILBOX" ' +
      '"MISSING_DOMAIN")) ((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN")) ((NIL NIL "MISSING_MAILBOX" "example.org")' +
      '(NIL NIL "a" "MISSING_DOMAIN")) (("Just A Name" NIL "MISSING_MAILBOX" "MISSING_DOMAIN")) NIL NIL)',
  },
  {
    name: 'brackets and quotes that are never closed',
    message: mail('From: "A <a@example.org>', 'To: A <a@example.org', 'Cc: a@[192.0.2.1', 'Bcc: a@example.org (comment',
      '', ''),
    structure: ['text/plain 0-97-97 0'],
    oddities: [],
    envelope:
      '(NIL NIL ((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN")) ((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN")) ((NIL ' +
      'NIL "MISSING_MAILBOX" "MISSING_DOMAIN")) (("A" NIL "a" "SYNTAX_ERROR")) ((NIL NIL "a" "MISSING_DOMAIN")) ((NIL ' +
      'NIL "a" "MISSING_DOMAIN")) NIL NIL)',
  },
  {
    name: 'names in comments, comments in comments, comments in between',
    message: mail('From: a@example.org (A (of course) B)', 'To: (x) b (y) @ (z) example.org (B)',
      'Cc: C (c) D <c@example.org>', '', ''),
    structure: ['text/plain 0-107-107 0'],
    oddities: [],
    envelope:
      '(NIL NIL (("A (of course) B" NIL "a" "example.org")) (("A (of course) B" NIL "a" "example.org")) (("A (of ' +
      'course) B" NIL "a" "example.org")) (("B" NIL "b" "example.org")) (("C D" NIL "c" "example.org")) NIL NIL NIL)',
  },
  {
    name: 'source routes, good and bad',
    message: mail('From: <@a.example,@b.example:c@example.org>', 'To: <@a.example c@example.org>', '', ''),
    structure: ['text/plain 0-79-79 0'],
    oddities: [],
    envelope:
      '(NIL NIL ((NIL "@a.example,@b.example" "c" "example.org")) ((NIL "@a.example,@b.example" "c" "example.org")) ' +
      '((NIL "@a.example,@b.example" "c" "example.org")) ((NIL "INVALID_ROUTE" "c" "example.org")) NIL NIL NIL NIL)',
  },
  {
    name: 'quoted local parts, dots in odd places, address literals',
    message: mail('From: "a b"@example.org', 'To: .a..b.@example.org', 'Cc: a @ example . org, a@[IPv6:2001:db8::1]',
      'Bcc: a@example..org', '', ''),
    structure: ['text/plain 0-117-117 0'],
    oddities: [],
    envelope:
      '(NIL NIL ((NIL NIL "a b" "example.org")) ((NIL NIL "a b" "example.org")) ((NIL NIL "a b" "example.org")) ((NIL ' +
      'NIL ".a..b." "example.org")) ((NIL NIL "a" "example.org")(NIL NIL "a" "[IPv6:2001:db8::1]")) ((NIL NIL "a" ' +
      '"MISSING_DOMAIN")) NIL NIL)',
  },
  {
    name: 'semicolons for commas, and text behind an address',
    message: mail('To: a@example.org; b@example.org', 'Cc: <c@example.org> and more', '', ''),
    structure: ['text/plain 0-66-66 0'],
    oddities: [],
    envelope: '(NIL NIL NIL NIL NIL ((NIL NIL "a" "example.org")) ((NIL NIL "c" "example.org")) NIL NIL NIL)',
  },
  {
    name: 'a name with folds, tabs and escapes',
    message: mail('From: "A\r\n \tvery \\"long\\" \\\\ name" <a@example.org>', 'To: Dr. X. Y.\r\n Z. <z@example.org>',
      '', ''),
    structure: ['text/plain 0-90-90 0'],
    oddities: [],
    envelope:
      '(NIL NIL (("A very \\"long\\" \\\\ name" NIL "a" "example.org")) (("A very \\"long\\" \\\\ name" NIL "a" ' +
      '"example.org")) (("A very \\"long\\" \\\\ name" NIL "a" "example.org")) (("Dr. X. Y. Z." NIL "z" "example.org")) ' +
      'NIL NIL NIL NIL)',
  },
]
