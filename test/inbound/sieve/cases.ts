// Long: a table, of one row a script.
import { BUSY, PARTS, PERSONAL, PLAIN } from './mails.ts'

/** A script, a message, and what comes of it. */
export interface SieveCase {
  readonly script: string
  /** Each as `keep`, `file NAME`, `redirect ADDRESS`, `reject`, `reply`, with flags in brackets; `refused`, `error`. */
  readonly does: readonly string[]
  /** Default: {@link PLAIN}. */
  readonly message?: string
  readonly from?: string | null
  readonly to?: string
  /** Why Pigeonhole is not to be asked, or does otherwise. */
  readonly alone?: string
}

const row = (script: string, does: string, more: Omit<SieveCase, 'script' | 'does'> = {}): SieveCase => ({
  script,
  does: does === '' ? [] : does.split('; '),
  ...more,
})

/** `yes` where the test holds: filed there; else kept. */
const holds = (require: string, test: string, more?: Omit<SieveCase, 'script' | 'does'>): SieveCase =>
  row(`require ["fileinto"${require === '' ? '' : `, ${require}`}];\nif ${test} { fileinto "yes"; }`, 'file yes', more)
const fails = (require: string, test: string, more?: Omit<SieveCase, 'script' | 'does'>): SieveCase =>
  row(`require ["fileinto"${require === '' ? '' : `, ${require}`}];\nif ${test} { fileinto "yes"; }`, 'keep', more)

const busy = { message: BUSY, from: 'boss@example.com', to: 'roadrunner+sales@acme.example.com' }
const parts = { message: PARTS }

/** RFC 5228: grammar, control, actions, tests. */
export const base: readonly SieveCase[] = [
  row('', 'keep'),
  row('# nothing\n/* but * comments **/', 'keep'),
  row('keep;', 'keep'),
  row('KEEP;', 'keep'),
  row('discard;', ''),
  row('discard; keep;', 'keep'),
  row('stop; discard;', 'keep'),
  row('redirect "bart@example.com";', 'redirect bart@example.com'),
  row('redirect "bart@example.com"; keep;', 'redirect bart@example.com; keep'),
  row('redirect "Bart <bart@example.com>";', 'redirect bart@example.com'),
  row('redirect "a@example.com"; redirect "a@example.com";', 'redirect a@example.com'),
  row('redirect "not an address";', 'refused'),
  row('redirect "a@example.com, b@example.com";', 'refused'),
  row('require "fileinto"; fileinto "INBOX.harassment";', 'file INBOX.harassment'),
  row('require "fileinto"; fileinto "inbox";', 'keep'),
  row('require "fileinto"; fileinto "a"; fileinto "a"; fileinto "b";', 'file a; file b'),
  row('fileinto "x";', 'refused'),
  row('require "fileinto"; fileinto;', 'refused'),
  row('require "fileinto"; fileinto "a" "b";', 'refused'),
  row('require "fileinto"; fileinto ["a"];', 'refused'),
  row('require "fileinto"; fileinto 3;', 'refused'),
  row('keep; require "fileinto";', 'refused'),
  row('require ["no-such-thing"];', 'refused'),
  row('require ["regex"];', 'refused', { alone: 'Pigeonhole has regular expressions' }),
  row('keep', 'refused'),
  row('keep keep;', 'refused'),
  row('keep; }', 'refused'),
  row('if true { keep;', 'refused'),
  row('if true keep;', 'refused'),
  row('if { keep; }', 'refused'),
  row('else { keep; }', 'refused'),
  row('if true { } keep; elsif true { }', 'refused'),
  row('if true {} else {} else {}', 'refused'),
  row('if true {} else {} elsif true {}', 'refused'),
  row('stop "now";', 'refused'),
  row('true;', 'refused'),
  row('if keep {}', 'refused'),
  row('if not { discard; }', 'refused'),
  row('if not (true) { discard; }', 'refused'),
  row('if allof true { discard; }', 'refused'),
  row('if anyof (false, false, true) { discard; }', ''),
  row('if allof (true, not false) { discard; }', ''),
  row('if false { discard; } elsif true { keep; } else { discard; }', 'keep'),
  row('if false { keep; } elsif false { keep; } else { discard; }', ''),
  row('if true { if false { keep; } else { discard; } } else { keep; }', ''),
  row('keep "unterminated;', 'refused'),
  row('/* keep;', 'refused'),
  row('if header :is "Subject" text:\nI have a present for you\n.\n { discard; }', 'keep'),
  row('if header :contains text: # a comment\nSubject\n.\n "x" { discard; }', 'refused',
    { alone: 'it takes such a name as a warning' }),
  row('if header "Subject" "I have a pre\\sent for you" { discard; }', ''),
  row('if header :is :comparator "i;octet" "Subject" "I have a present FOR you" { discard; }', 'keep'),
  row('if size :over 1K { discard; }', 'keep'),
  row('if size :under 1M { discard; }', ''),
  row('if size 100 { discard; }', 'refused'),
  row('if size :over :under 100 { discard; }', 'refused'),
  row('if size :over "100" { discard; }', 'refused'),
  row('if size :over 100X { discard; }', 'refused'),
  row('if size :over -1 { discard; }', 'refused'),
  row('if header :is :contains "a" "b" {}', 'refused'),
  row('if header :is :is "a" "b" {}', 'refused'),
  row('if header "a" :is "b" {}', 'refused'),
  row('if header :regex "a" "b" {}', 'refused'),
  row('if header :comparator "i;none" "a" "b" {}', 'refused'),
  row('if header :comparator "a" {}', 'refused'),
  row('if header [] "b" {}', 'refused'),
  row('if header ["a",] "b" {}', 'refused'),
  row('if header ["a" "b"] "b" {}', 'refused'),
  row('if anyof (true false) {}', 'refused'),
  row('if anyof () {}', 'refused'),
  row('if address "x-unknown" "b" {}', 'refused'),
  row('foo;', 'refused'),
  row('if foo {}', 'refused'),
  row('?', 'refused'),
  row(';', 'refused'),
  row('keep;;', 'refused'),
  // §2.4.1
  holds('', 'size :over 0'),
  // §5.4, §5.1
  holds('', 'address :is :all "from" "coyote@desert.example.org"'),
  holds('', 'address :domain :is ["From", "To"] "desert.EXAMPLE.org"'),
  holds('', 'address :localpart "from" "coyote"'),
  fails('', 'address :localpart "from" "coyote@desert.example.org"'),
  holds('', 'address "to" "joe@example.net"', busy),
  holds('', 'address :domain "from" "sub.example.org"', busy),
  fails('', 'address :contains "to" "friends"', busy),
  holds('', 'exists ["From", "X-Priority"]'),
  fails('', 'exists ["From", "X-Nothing"]'),
  holds('', 'not exists ["X-Nothing"]'),
  holds('', 'header "X-Flag" ""', busy),
  holds('', 'header :contains "X-Flag" ""', busy),
  fails('', 'header :contains "X-Nothing" ""'),
  holds('', 'header :is "subject" "i have a PRESENT for you"'),
  fails('', 'header :is "subject" "present"'),
  holds('', 'header :contains ["x", "subject"] ["nothing", "present"]'),
  holds('', 'header :is "Subject" "Grüße aus Köln"', busy),
  fails('', 'header :is "Subject" "GRÜSSE aus Köln"', busy),
  // §2.7.1
  holds('', 'header :matches "subject" "*"'),
  holds('', 'header :matches "subject" "I * you"'),
  holds('', 'header :matches "subject" "?*?"'),
  fails('', 'header :matches "subject" "present"'),
  holds('', 'header :matches "subject" "*present*"'),
  fails('', 'header :matches "subject" "*a?b*"'),
  holds('', 'header :matches "subject" "I?have?a?present?for?you"'),
  fails('', 'header :matches "subject" "I\\\\?have*"'),
  holds('', 'header :matches "X-Priority" "?"'),
  fails('', 'header :matches "X-Priority" "??"'),
  holds('', 'header :matches "X-Priority" "**3**"'),
  // §5.4 envelope
  holds('"envelope"', 'envelope "from" "coyote@desert.example.org"', { from: 'coyote@desert.example.org' }),
  holds('"envelope"', 'envelope :domain ["from", "to"] "acme.example.com"', { to: 'roadrunner@acme.example.com' }),
  holds('"envelope"', 'envelope :localpart "from" ""', { from: null, alone: 'its tester takes no null sender' }),
  fails('"envelope"', 'envelope "from" "x"', { from: null, alone: 'its tester takes no null sender' }),
  row('if envelope "from" "x" {}', 'refused'),
  row('require "envelope"; if envelope "forum" "x" {}', 'refused'),
  // §2.4.2.4
  holds('"encoded-character"', 'header :contains "X-Priority" "${hex:33}"'),
  holds('"encoded-character"', 'header :contains "Subject" "${hex: 70 72 65}sent"'),
  holds('"encoded-character"', 'header :contains "Subject" "${unicode:fc}${Unicode:00DF}e"', busy),
  fails('"encoded-character"', 'header :contains "Subject" "${hex:7}${hex:400}"'),
  fails('', 'header :contains "Subject" "${hex:70}"'),
  row('require "encoded-character"; if header "a" "${unicode:200000}" {}', 'refused'),
  row('require "encoded-character"; if header "a" "${Unicode:DF01}" {}', 'refused'),
  // §3.1
  row('require "fileinto";\nif header :contains "from" "coyote" { discard; '
    + '}\nelsif header :contains ["subject"] ["$$$"] { discard; }\n'
    + 'else { fileinto "INBOX"; }', ''),
  // §2.10.4: five of them is one too many
  row([1, 2, 3, 4, 5].map((at) => `redirect "a${at}@example.com";`).join('\n'), 'error'),
  // §9
  row(`require ["fileinto"];
if header :is "Sender" "owner-ietf-mta-filters@imc.org" { fileinto "filter"; }
elsif address :domain :is ["From", "To"] "example.com" { keep; }
elsif anyof (not address :all :contains ["To", "Cc", "Bcc"] "me@example.com",
             header :matches "subject" ["*make*money*fast*", "*university*dipl*mas*"]) { fileinto "spam"; }
else { fileinto "personal"; }`, 'file spam'),
]

/** RFC 3894, 5232, 5429, 5490, 8579. */
export const actions: readonly SieveCase[] = [
  row('require ["fileinto", "copy"]; fileinto :copy "a";', 'file a; keep'),
  row('require ["copy"]; redirect :copy "a@example.com"; discard;', 'redirect a@example.com'),
  row('redirect :copy "a@example.com";', 'refused'),
  row('require "imap4flags"; keep :flags ["\\\\Seen", "$Work"];', 'keep [$work \\seen]'),
  row('require "imap4flags"; setflag "\\\\Deleted";', 'keep [\\deleted]'),
  row('require "imap4flags"; addflag "A B"; addflag ["b", "C"]; removeflag "a";', 'keep [b c]'),
  row('require ["imap4flags", "fileinto"]; addflag "\\\\Flagged"; fileinto "x"; setflag "A"; keep; setflag "B";',
    'file x [\\flagged]; keep [a]'),
  row('require ["imap4flags", "fileinto"]; fileinto :flags "A" "x"; fileinto :flags "B" "x";', 'file x [b]'),
  row('require "imap4flags"; setflag "\\\\Recent \\\\Nonsense ok";', 'keep [ok]'),
  row('require ["imap4flags", "variables"]; addflag "v" "\\\\Deleted"; addflag "v" "\\\\Answered"; keep :flags "${v}";',
    'keep [\\answered \\deleted]'),
  row('require "imap4flags"; addflag "v" "\\\\Deleted";', 'refused'),
  holds('"imap4flags"', 'not hasflag "x"'),
  row('require ["imap4flags"]; setflag "A B"; if hasflag :is "b A" { discard; }', ''),
  row('require ["imap4flags"]; setflag "A B"; if hasflag ["c", "d"] { discard; }', 'keep [a b]'),
  row('require ["imap4flags", "variables"]; set "MyVar" "NonJunk Junk gnus-forward $Forwarded"; '
    + 'if hasflag :contains "MyVar" ["label", "forward"] { discard; }', ''),
  row('require ["imap4flags", "variables"]; set "MyVar" "NonJunk Junk"; if hasflag :contains "MyVar" "label" { discard; }',
    'keep'),
  row('require ["imap4flags", "variables", "relational", "comparator-i;ascii-numeric"]; set "f" "A B"; '
    + 'if hasflag :count "ge" :comparator "i;ascii-numeric" "f" "2" { discard; }', ''),
  row('require "reject"; reject "I am not taking mail from you, and I don\'t want your birdseed";', 'reject'),
  row('require "ereject"; ereject "no";', 'reject', { alone: 'it has no ereject' }),
  row('require "reject"; ereject "no";', 'refused'),
  row('require "reject"; reject "no"; keep;', 'error'),
  row('require ["reject", "fileinto"]; fileinto "a"; reject "no";', 'error'),
  row('require "reject"; reject "no"; reject "again";', 'error'),
  row('require "reject"; discard; reject "no";', 'reject'),
  row('require ["fileinto", "mailbox"]; fileinto :create "a";', 'file a create'),
  row('require ["fileinto"]; fileinto :create "a";', 'refused'),
  holds('"mailbox"', 'mailboxexists "Here"', { alone: 'it has no mailboxes here' }),
  holds('"mailbox"', 'mailboxexists ["inbox", "Here"]', { alone: 'it has no mailboxes here' }),
  fails('"mailbox"', 'mailboxexists ["Here", "There"]'),
  row('require ["fileinto", "special-use"]; fileinto :specialuse "\\\\Junk" "Spam";', 'file Spam use \\junk'),
  row('require ["fileinto", "special-use"]; fileinto :specialuse "Junk" "Spam";', 'refused'),
  holds('"special-use"', 'specialuse_exists "\\\\Junk"', { alone: 'it has no mailboxes here' }),
  holds('"special-use"', 'specialuse_exists "Here" ["\\\\Junk"]', { alone: 'it has no mailboxes here' }),
  fails('"special-use"', 'specialuse_exists ["\\\\Junk", "\\\\Archive"]'),
  // Limits
  row(`require "fileinto"; ${Array.from({ length: 33 }, (_, at) => `fileinto "${at}";`).join(' ')}`, 'error'),
]

/** RFC 5229. */
export const variables: readonly SieveCase[] = [
  row('require ["variables", "fileinto"]; set "company" "ACME"; fileinto "${Company}";', 'file ACME'),
  row('require ["variables", "fileinto"]; set "a" "b"; fileinto "&%${}!";', 'file &%${}!'),
  row('require ["variables", "fileinto"]; fileinto "${doh!}";', 'file ${doh!}'),
  row('require ["variables", "fileinto"]; fileinto "x${full}";', 'file x'),
  row('require ["variables", "fileinto"]; set "company" "ACME"; fileinto "${BAD${Company}";', 'file ${BADACME'),
  row('require ["variables", "fileinto"]; set "company" "ACME"; fileinto "${President, ${Company} Inc.}";',
    'file ${President, ACME Inc.}'),
  row('require ["fileinto"]; fileinto "${x}";', 'file ${x}'),
  row('require ["variables", "fileinto"]; set "foo" "f"; fileinto "${fo\\o}";', 'file f'),
  row('require ["variables", "fileinto"]; set "foo" "f"; fileinto "\\${foo}";', 'file f'),
  row('require ["variables", "fileinto"]; set "dollar" "$"; fileinto "regarding ${dollar}{beep}";', 'file regarding ${beep}'),
  row('require ["variables", "fileinto", "encoded-character"]; set "name" "Ethelbert"; fileinto "dear${hex:20 24 7b 4e}ame}";',
    'file dear Ethelbert'),
  row('require ["variables", "fileinto"]; if header :matches "List-ID" "*<*@*" { fileinto "a"; } '
    + 'elsif header :matches "List-ID" "*<*.*" { fileinto "lists.${2}"; }', 'file lists.dev', busy),
  row('require ["variables", "fileinto"]; if header :matches "Subject" "* a * for*" { fileinto "${1}-${2}-${3}-${0}"; }',
    'file I have-present- you-I have a present for you'),
  row('require ["variables", "fileinto"]; if address :matches ["To", "Cc"] ["coyote@**.com", "roadrunner@**.com"] '
    + '{ fileinto "INBOX.business.${2}"; }', 'file INBOX.business.acme.example'),
  row('require ["variables", "fileinto"]; if anyof (true, header :matches "subject" "*") { fileinto "x${1}"; }', 'file x'),
  row('require ["variables", "fileinto"]; if header :matches "subject" "*" { } if header :matches "subject" "x*" { } '
    + 'fileinto "${1}";', 'file I have a present for you'),
  row('require ["variables", "fileinto"]; if header :matches "subject" "I*" { fileinto "${001}${2}x"; }',
    'file  have a present for youx'),
  row('require ["variables", "fileinto"]; set "a" "juMBlEd lETteRS"; set :length "b" "${a}"; fileinto "${b}";', 'file 15'),
  row('require ["variables", "fileinto"]; set "a" "juMBlEd lETteRS"; set :lower "b" "${a}"; fileinto "${b}";',
    'file jumbled letters'),
  row('require ["variables", "fileinto"]; set "a" "juMBlEd lETteRS"; set :upperfirst "b" "${a}"; fileinto "${b}";',
    'file JuMBlEd lETteRS'),
  row('require ["variables", "fileinto"]; set "a" "juMBlEd lETteRS"; set :upperfirst :lower "b" "${a}"; fileinto "${b}";',
    'file Jumbled letters'),
  row('require ["variables", "fileinto"]; set :quotewildcard "b" "Rock*[x]?"; fileinto "${b}";', 'file Rock\\*[x]\\?'),
  row('require ["variables"]; set :lower :upper "b" "x";', 'refused'),
  row('require ["variables"]; set :lowerfirst :upperfirst "b" "x";', 'refused'),
  row('require ["variables"]; set "1" "x";', 'refused'),
  row('require ["variables"]; set "a b" "x";', 'refused'),
  row('require ["variables"]; set "${a}" "x";', 'refused'),
  row('require ["variables"]; set "nowhere.a" "x";', 'refused'),
  row('require ["variables"]; redirect "${nowhere.a}";', 'refused', { alone: 'it says so, and runs it' }),
  row('set "a" "x";', 'refused'),
  row('require ["variables", "fileinto"]; set "state" "x pending"; '
    + 'if string :matches " ${state} " "* pending *" { fileinto "y"; }', 'file y'),
  holds('"variables"', 'string :is ["a", "b"] "b"'),
  holds('"variables", "relational", "comparator-i;ascii-numeric"',
    'string :count "eq" :comparator "i;ascii-numeric" ["a", "", "b"] "2"'),
  row('require "variables"; set "a" "nobody"; redirect "${a}";', 'error'),
]

/** RFC 5231, 5233, 5260, 5183, comparators. */
export const tests: readonly SieveCase[] = [
  holds('"relational", "comparator-i;ascii-numeric"', 'header :value "lt" :comparator "i;ascii-numeric" ["x-priority"] ["5"]'),
  holds('"relational", "comparator-i;ascii-numeric"', 'header :value "eq" :comparator "i;ascii-numeric" "X-Spam-Score" "42"',
    busy),
  holds('"relational", "comparator-i;ascii-numeric"', 'header :value "gt" :comparator "i;ascii-numeric" "subject" "999999"'),
  holds('"comparator-i;ascii-numeric"', 'header :is :comparator "i;ascii-numeric" "X-Spam-Score" "42"', busy),
  row('require "comparator-i;ascii-numeric"; if header :contains :comparator "i;ascii-numeric" "a" "1" {}', 'refused'),
  row('if header :comparator "i;ascii-numeric" "a" "1" {}', 'refused'),
  row('if header :value "gt" "a" "1" {}', 'refused'),
  row('require "relational"; if header :value "more" "a" "1" {}', 'refused'),
  row('require "relational"; if header :count "a" "1" {}', 'refused'),
  holds('"relational"', 'header :value "ge" "subject" "h"'),
  fails('"relational"', 'header :value "lt" "subject" "A"'),
  // RFC 5231 §6, on another message
  holds('"relational", "comparator-i;ascii-numeric"',
    'address :count "eq" :comparator "i;ascii-numeric" ["to", "cc"] "4"', busy),
  fails('"relational", "comparator-i;ascii-numeric"',
    'anyof (address :count "ge" :comparator "i;ascii-numeric" "to" "4", '
      + 'address :count "ge" :comparator "i;ascii-numeric" "cc" "4")',
    busy),
  holds('"relational", "comparator-i;ascii-numeric"', 'header :count "ge" :comparator "i;ascii-numeric" "received" "3"', busy),
  holds('"relational", "comparator-i;ascii-numeric"',
    'header :count "ge" :comparator "i;ascii-numeric" ["received", "subject"] "4"', busy),
  fails('"relational", "comparator-i;ascii-numeric"', 'header :count "ge" :comparator "i;ascii-numeric" ["to", "cc"] "3"', busy),
  holds('"relational", "envelope", "comparator-i;ascii-numeric"',
    'envelope :count "eq" :comparator "i;ascii-numeric" "from" "0"', { from: null, alone: 'its tester takes no null sender' }),
  // RFC 5233
  holds('"subaddress"', 'address :detail "to" "ietf"', busy),
  holds('"subaddress"', 'address :user "to" "tim"', busy),
  holds('"subaddress", "envelope"', 'envelope :detail "to" "sales"', busy),
  fails('"subaddress"', 'address :detail "from" ""'),
  fails('"subaddress"', 'address :detail :matches "from" "*"'),
  holds('"subaddress"', 'address :user "from" "coyote"'),
  row('if address :user "to" "a" {}', 'refused'),
  // RFC 5260
  holds('"date", "relational"',
    'allof (date :value "ge" :originalzone "date" "hour" "09", date :value "lt" :originalzone "date" "hour" "17")'),
  holds('"date"', 'date :is :originalzone "date" "year" "1997"'),
  holds('"date"', 'date :is :originalzone "date" "weekday" "2"'),
  holds('"date"', 'date :is :originalzone "date" "date" "1997-04-01"'),
  holds('"date"', 'date :is :originalzone "date" "time" "09:06:31"'),
  holds('"date"', 'date :is :originalzone "date" "zone" "-0800"'),
  holds('"date"', 'date :is :zone "+0000" "date" "iso8601" "1997-04-01T17:06:31Z"'),
  holds('"date"', 'date :is :zone "+0100" "date" "iso8601" "1997-04-01T18:06:31+01:00"'),
  holds('"date"', 'date :is :zone "+0200" "date" "std11" "Tue, 1 Apr 1997 19:06:31 +0200"',
    { alone: 'days of one digit may be written either way, and are written without a zero here' }),
  holds('"date"', 'date :is :zone "+0200" "date" "julian" "50539"'),
  holds('"date"', 'date :is :zone "+1000" "date" "day" "02"'),
  holds('"date"', 'date :is :zone "+0000" "date" "month" "04"'),
  holds('"date"', 'date :is :zone "+0000" "date" "minute" "06"'),
  holds('"date"', 'date :is :zone "+0000" "date" "second" "31"'),
  holds('"date"', 'date :is :originalzone "received" "second" "32"'),
  fails('"date"', 'date :is "subject" "year" "1997"'),
  fails('"date"', 'date :is "x-none" "year" "1997"'),
  holds('"date", "relational", "comparator-i;ascii-numeric"', 'date :count "eq" :comparator "i;ascii-numeric" "date" "year" "1"'),
  holds('"date", "relational", "comparator-i;ascii-numeric"',
    'date :count "eq" :comparator "i;ascii-numeric" "subject" "year" "0"'),
  row('require "date"; if date :zone "+0100" :originalzone "date" "year" "1" {}', 'refused'),
  row('require "date"; if date :zone "CET" "date" "year" "1" {}', 'refused', { alone: 'it warns' }),
  row('require "date"; if date "date" "century" "1" {}', 'refused', { alone: 'it warns' }),
  holds('"date", "relational"', 'currentdate :value "ge" "date" "2007-06-30"'),
  fails('"date", "relational"', 'currentdate :value "ge" "year" "9000"'),
  row('require ["date", "variables", "fileinto"]; if currentdate :matches "year" "20*" { fileinto "y"; }', 'file y'),
  holds('"date", "index"', 'date :index 2 :originalzone :is "received" "second" "02"',
    { ...busy, alone: 'its date looks at the first field, whatever :index says' }),
  holds('"date", "index"', 'date :index 1 :last :originalzone :is "received" "second" "01"',
    { ...busy, alone: 'its date looks at the first field, whatever :index says' }),
  holds('"index"', 'header :index 2 :is "x-flag" "second"', busy),
  fails('"index"', 'header :index 1 :is "x-flag" "second"', busy),
  fails('"index"', 'header :index 9 :contains "x-flag" ""', busy),
  holds('"index"', 'address :index 1 :last "cc" "roadrunner+sales@acme.example.com"', busy),
  row('require "index"; if header :last "a" "b" {}', 'refused'),
  row('require "index"; if header :index 0 "a" "b" {}', 'refused'),
  row('if header :index 1 "a" "b" {}', 'refused'),
  // RFC 5183
  holds('"environment"', 'environment :is "phase" "during"', { alone: 'its tester says post' }),
  holds('"environment"', 'environment :contains "name" ""'),
  fails('"environment"', 'environment :contains "no such thing" ""'),
  holds('"environment"', 'environment :is "location" "MDA"', { alone: 'it says MS' }),
  // RFC 5051
  holds('"comparator-i;unicode-casemap"', 'header :is :comparator "i;unicode-casemap" "subject" "GRÜSSE AUS KÖLN"',
    { ...busy, alone: 'it has no such comparator' }),
  holds('"comparator-i;unicode-casemap"', 'header :matches :comparator "i;unicode-casemap" "subject" "GR?SSE*KÖLN"',
    { ...busy, alone: 'it has no such comparator' }),
  row('require ["comparator-i;unicode-casemap", "variables", "fileinto"]; '
    + 'if header :matches :comparator "i;unicode-casemap" "subject" "*E AUS K*" { fileinto "${1}|${2}"; }', 'file Grüß|öln',
  { ...busy, alone: 'it has no such comparator' }),
]

/** RFC 5173. */
export const bodies: readonly SieveCase[] = [
  holds('"body"', 'body :raw :contains "MIME"', parts),
  holds('"body"', 'body :raw :contains "boundary=inner"', parts),
  fails('"body"', 'body :raw :contains "whatever"', parts),
  holds('"body"', 'body :content "multipart" :contains "MIME"', parts),
  holds('"body"', 'body :content "multipart" :contains "end of the inner"', parts),
  fails('"body"', 'body :content "multipart" :contains "Hello"', parts),
  holds('"body"', 'body :content "text/plain" :contains "Hello"', parts),
  fails('"body"', 'body :content "text/plain" :contains "html"', parts),
  holds('"body"', 'body :content "text/html" :contains "<html>"', parts),
  holds('"body"', 'body :content "text" :contains "please say hello"', parts),
  holds('"body"', 'body :content "message/rfc822" :contains "hello request"', parts),
  fails('"body"', 'body :content "message/rfc822" :contains "please"', parts),
  holds('"body"', 'body :content "application/octet-stream" :contains "secret bytes"', parts),
  fails('"body"', 'body :content "audio/mp3" :contains ""', parts),
  holds('"body"', 'body :content "" :contains "Hello"', parts),
  fails('"body"', 'body :content ["/text", "text/", "a/b/c"] :contains ""', parts),
  holds('"body"', 'body :text :contains "Grüße"', parts),
  fails('"body"', 'body :text :contains "<b>"', parts),
  fails('"body"', 'body :contains "secret"', parts),
  holds('"body"', 'body :contains "anvil thing"'),
  holds('"body"', 'body :matches "Look*cliff*"'),
  holds('"body"', 'body :contains "really\ndidn\'t"'),
  row('require ["body", "variables", "fileinto"]; if body :matches "Look*" { fileinto "x${1}"; }', 'file x'),
  row('require "body"; if body :raw :text "a" {}', 'refused'),
  row('if body "a" {}', 'refused'),
]

const vacation = { message: PERSONAL, from: 'tweety@cage.example.org', to: 'spike@doghouse.example.com' }
const said = (script: string, does: string, more: Partial<SieveCase> = {}): SieveCase =>
  row(`require "vacation"; ${script}`, does, { ...vacation, ...more })
const withField = (field: string): Partial<SieveCase> => ({ message: `${field}\n${PERSONAL}` })

/** RFC 5230, RFC 6131. */
export const vacations: readonly SieveCase[] = [
  said('vacation "I am away";', 'keep; reply'),
  said('vacation :days 23 :addresses ["tjs@example.edu", "ts4z@landru.example.edu"] "I\'m away until October 19.";',
    'keep; reply'),
  said('if header :contains "subject" "lunch" { vacation :handle "ran-away" "no lunch"; } else { vacation "out"; }',
    'keep; reply'),
  said('vacation :mime text:\nContent-Type: text/plain\n\nI am away\n.\n;', 'keep; reply'),
  said('vacation "a"; vacation "b";', 'error'),
  said('vacation "a"; discard;', 'reply'),
  said('vacation;', 'refused'),
  said('vacation :days "7" "a";', 'refused'),
  said('vacation :from "nobody" "a";', 'refused'),
  said('vacation :seconds 3600 "a";', 'refused'),
  said('vacation :days 1 :days 2 "a";', 'refused'),
  row('require "vacation-seconds"; vacation :seconds 7200 "a";', 'keep; reply', vacation),
  row('require "vacation-seconds"; vacation :seconds 7200 :days 1 "a";', 'refused', vacation),
  row('vacation "a";', 'refused', vacation),
  row('require ["vacation", "reject"]; reject "no"; vacation "a";', 'error', vacation),
  row('require ["vacation", "reject"]; vacation "a"; reject "no";', 'error', vacation),
  said('vacation "a";', 'keep', { from: null, alone: 'its report tells of the action, not of what became of it' }),
  ...['Auto-Submitted: auto-replied', 'List-Id: <x.example>', 'List-Archive: <https://x.example>',
    'Precedence: bulk'].map((field) =>
    said('vacation "a";', 'keep', { ...withField(field), alone: 'its report tells of the action, not of what became of it' })),
  said('vacation "a";', 'keep; reply', withField('Auto-Submitted: no')),
  ...['mailer-daemon@x.example', 'owner-list@x.example', 'list-request@x.example', 'spike@doghouse.example.com'].map((from) =>
    said('vacation "a";', 'keep', { from, alone: 'its report tells of the action, not of what became of it' })),
  said('vacation "a";', 'keep', { to: 'other@doghouse.example.com', alone: 'its report tells of the action alone' }),
  said('vacation :addresses "Spike@DogHouse.example.com" "a";', 'keep; reply', { to: 'other@doghouse.example.com' }),
  said('vacation "a";', 'keep; reply', { to: 'spike+tag@doghouse.example.com' }),
]

/** RFC 5293. */
export const edits: readonly SieveCase[] = [
  row('require ["editheader", "fileinto"]; addheader "X-Hello" "World"; if header :is "X-Hello" "World" { fileinto "y"; }',
    'file y'),
  row('require ["editheader", "fileinto"]; deleteheader "Subject"; if exists "subject" { fileinto "y"; }', 'keep'),
  row('require ["editheader", "fileinto"]; deleteheader "Received"; if exists "received" { fileinto "y"; }', 'file y'),
  row('require ["editheader", "fileinto", "index"]; deleteheader :index 1 "X-Flag"; '
    + 'if header :index 1 "x-flag" "second" { fileinto "y"; }', 'file y', busy),
  row('require ["editheader", "fileinto"]; deleteheader :contains "X-Flag" "sec"; '
    + 'if header :contains "x-flag" "sec" { fileinto "y"; }', 'keep', busy),
  row('require ["editheader", "fileinto"]; deleteheader :index 1 :contains "X-Flag" "sec"; '
    + 'if header :contains "x-flag" "sec" { fileinto "y"; }', 'file y', busy),
  row('require ["editheader", "fileinto"]; deleteheader :index 1 :last "X-Flag"; if header "x-flag" "second" { fileinto "y"; }',
    'keep', busy),
  row('require ["editheader", "fileinto", "index"]; addheader "X-Flag" "top"; addheader :last "X-Flag" "end"; '
    + 'if allof (header :index 1 "x-flag" "top", header :index 1 :last "x-flag" "end") { fileinto "y"; }', 'file y', busy),
  row('require ["editheader", "fileinto"]; addheader "X-H" "W"; deleteheader :index 1 "X-H"; if exists "x-h" { fileinto "y"; }',
    'keep'),
  row('require ["editheader"]; deleteheader :last "X-H";', 'refused', { alone: 'it lets that pass, which RFC 5293 §5 forbids' }),
  row('require ["editheader"]; addheader "X H" "a";', 'refused'),
  row('require ["editheader"]; addheader "X-H";', 'refused'),
  row('addheader "X-H" "a";', 'refused'),
]

/** RFC 7352, RFC 6609. */
export const others: readonly SieveCase[] = [
  row('require "duplicate"; if duplicate { discard; }', 'keep'),
  row('require "duplicate"; if duplicate :handle "a" :header "X-Event-ID" :seconds 1800 :last { discard; }', 'keep'),
  row('require ["duplicate", "variables"]; if header :matches "subject" "*" { if duplicate :uniqueid "${1}" { discard; } }',
    'keep'),
  row('require "duplicate"; if duplicate :header "a" :uniqueid "b" {}', 'refused'),
  row('if duplicate {}', 'refused'),
  row('require "include"; include "none";', 'error', { alone: 'it looks for scripts when it compiles' }),
  row('require "include"; include :optional "none";', 'keep', { alone: 'it looks for scripts when it compiles' }),
  row('require ["include", "variables"]; include "${x}";', 'refused'),
  row('require "include"; return; discard;', 'keep'),
]
