/*
 * The words of the language: its commands, tests, tags and extensions, and what goes with what. Data alone.
 */

/** What an argument may be: a string, one or more strings, a number. */
export type ArgumentKind = 'string' | 'strings' | 'number'

/** A tag, and what goes with it. Of the tags of one group a command has at most one. */
export interface TagRule {
  readonly takes?: ArgumentKind
  readonly extension?: string
  readonly group?: string
}

/** What a command or a test takes. */
export interface NodeRule {
  /** Any of them makes it known. */
  readonly extensions?: readonly string[]
  readonly tags?: ReadonlyMap<string, TagRule>
  readonly positional?: readonly ArgumentKind[]
  /** The first of the positional arguments may be left out. */
  readonly optionalFirst?: boolean
  /** The last of them may. */
  readonly optionalLast?: boolean
  readonly tests?: 'one' | 'several'
  readonly block?: true
}

type Tags = readonly (readonly [string, TagRule])[]

const tags = (...given: readonly Tags[]): ReadonlyMap<string, TagRule> => new Map(given.flat())

const match = { group: 'match type' }
const matching: Tags = [
  ['is', match], ['contains', match], ['matches', match],
  ['count', { ...match, takes: 'string', extension: 'relational' }],
  ['value', { ...match, takes: 'string', extension: 'relational' }],
  ['comparator', { takes: 'string' }],
]
const part = { group: 'address part' }
const parts: Tags = [
  ['all', part], ['localpart', part], ['domain', part],
  ['user', { ...part, extension: 'subaddress' }], ['detail', { ...part, extension: 'subaddress' }],
]
const index: Tags = [['index', { takes: 'number', extension: 'index' }], ['last', { extension: 'index' }]]
const flags: Tags = [['flags', { takes: 'strings', extension: 'imap4flags' }]]
const copy: Tags = [['copy', { extension: 'copy' }]]
const zone: Tags = [['zone', { takes: 'string', group: 'zone' }]]
const setter = (name: string): readonly [string, TagRule] => [name, { group: name }]

/** The tests, by name. */
export const testRules: ReadonlyMap<string, NodeRule> = new Map<string, NodeRule>([
  ['address', { tags: tags(matching, parts, index), positional: ['strings', 'strings'] }],
  ['allof', { tests: 'several' }],
  ['anyof', { tests: 'several' }],
  ['body', {
    extensions: ['body'],
    tags: tags(matching, [
      ['raw', { group: 'body transform' }],
      ['text', { group: 'body transform' }],
      ['content', { group: 'body transform', takes: 'strings' }],
    ]),
    positional: ['strings'],
  }],
  ['currentdate', { extensions: ['date'], tags: tags(matching, zone), positional: ['string', 'strings'] }],
  ['date', {
    extensions: ['date'],
    tags: tags(matching, zone, [['originalzone', { group: 'zone' }]], index),
    positional: ['string', 'string', 'strings'],
  }],
  ['duplicate', {
    extensions: ['duplicate'],
    tags: tags([
      ['handle', { takes: 'string' }],
      ['header', { takes: 'string', group: 'unique id' }],
      ['uniqueid', { takes: 'string', group: 'unique id' }],
      ['seconds', { takes: 'number' }],
      ['last', {}],
    ]),
  }],
  ['envelope', { extensions: ['envelope'], tags: tags(matching, parts), positional: ['strings', 'strings'] }],
  ['environment', { extensions: ['environment'], tags: tags(matching), positional: ['string', 'strings'] }],
  ['exists', { positional: ['strings'] }],
  ['false', {}],
  ['hasflag', { extensions: ['imap4flags'], tags: tags(matching), positional: ['strings', 'strings'], optionalFirst: true }],
  ['header', { tags: tags(matching, index), positional: ['strings', 'strings'] }],
  ['mailboxexists', { extensions: ['mailbox'], positional: ['strings'] }],
  ['not', { tests: 'one' }],
  ['size', { tags: tags([['over', { group: 'bound' }], ['under', { group: 'bound' }]]), positional: ['number'] }],
  ['specialuse_exists', { extensions: ['special-use'], positional: ['string', 'strings'], optionalFirst: true }],
  ['string', { extensions: ['variables'], tags: tags(matching), positional: ['strings', 'strings'] }],
  ['true', {}],
])

/** The commands, by name. */
export const commandRules: ReadonlyMap<string, NodeRule> = new Map<string, NodeRule>([
  ['addflag', { extensions: ['imap4flags'], positional: ['string', 'strings'], optionalFirst: true }],
  ['addheader', { extensions: ['editheader'], tags: tags([['last', {}]]), positional: ['string', 'string'] }],
  ['deleteheader', {
    extensions: ['editheader'],
    tags: tags(matching, [['index', { takes: 'number' }], ['last', {}]]),
    positional: ['string', 'strings'],
    optionalLast: true,
  }],
  ['discard', {}],
  ['else', { block: true }],
  ['elsif', { tests: 'one', block: true }],
  ['ereject', { extensions: ['ereject'], positional: ['string'] }],
  ['fileinto', {
    extensions: ['fileinto'],
    tags: tags(copy, flags, [
      ['create', { extension: 'mailbox' }],
      ['specialuse', { takes: 'string', extension: 'special-use' }],
    ]),
    positional: ['string'],
  }],
  ['global', { extensions: ['include'], positional: ['strings'] }],
  ['if', { tests: 'one', block: true }],
  ['include', {
    extensions: ['include'],
    tags: tags([
      ['personal', { group: 'location' }], ['global', { group: 'location' }], ['once', {}], ['optional', {}],
    ]),
    positional: ['string'],
  }],
  ['keep', { tags: tags(flags) }],
  ['redirect', { tags: tags(copy), positional: ['string'] }],
  ['reject', { extensions: ['reject'], positional: ['string'] }],
  ['removeflag', { extensions: ['imap4flags'], positional: ['string', 'strings'], optionalFirst: true }],
  ['require', { positional: ['strings'] }],
  ['return', { extensions: ['include'] }],
  ['set', {
    extensions: ['variables'],
    // Of modifiers of the same precedence only one may be given (RFC 5229 §4.1).
    tags: tags([
      ['lower', { group: 'letter case' }], ['upper', { group: 'letter case' }],
      ['lowerfirst', { group: 'first letter' }], ['upperfirst', { group: 'first letter' }],
      setter('quotewildcard'), setter('length'),
    ]),
    positional: ['string', 'string'],
  }],
  ['setflag', { extensions: ['imap4flags'], positional: ['string', 'strings'], optionalFirst: true }],
  ['stop', {}],
  ['vacation', {
    extensions: ['vacation', 'vacation-seconds'],
    tags: tags([
      ['days', { takes: 'number', group: 'period' }],
      ['seconds', { takes: 'number', group: 'period', extension: 'vacation-seconds' }],
      ['subject', { takes: 'string' }], ['from', { takes: 'string' }], ['addresses', { takes: 'strings' }],
      ['mime', {}], ['handle', { takes: 'string' }],
    ]),
    positional: ['string'],
  }],
])

/** Names of commands. */
export const commandNames: ReadonlySet<string> = new Set(commandRules.keys())

/** The extensions that scripts may require, as ManageSieve and the tester list them. */
export const sieveExtensions: readonly string[] = [
  'body', 'comparator-i;ascii-casemap', 'comparator-i;ascii-numeric', 'comparator-i;octet', 'comparator-i;unicode-casemap',
  'copy', 'date', 'duplicate', 'editheader', 'encoded-character', 'envelope', 'environment', 'ereject', 'fileinto', 'imap4flags',
  'include', 'index', 'mailbox', 'reject', 'relational', 'special-use', 'subaddress', 'vacation', 'vacation-seconds', 'variables',
]

/** Extensions that are known and not here, and what to write instead. */
export const missingExtensions: ReadonlyMap<string, string> = new Map([
  ['regex', 'regular expressions can take for ever; use :matches'],
  ['imapflags', 'its successor is imap4flags'],
  ['notify', 'there is none of its kind'],
  ['enotify', 'there is none of its kind'],
  ['vnd.dovecot.duplicate', 'its successor is duplicate'],
  ['comparator-i;unicode-casemap;', 'write comparator-i;unicode-casemap'],
])
