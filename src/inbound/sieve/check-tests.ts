import { type Given, readArguments } from './arguments.ts'
import { isDatePart } from './dates.ts'
import { type AddressPart, type BodyTransform, type Condition, type Matching, specialUses, type Text } from './program.ts'
import { type Scope, shownPosition } from './scope.ts'
import type { SieveNode, SieveTest } from './syntax.ts'
import { isAddressField, isFieldName, readMailboxName, readZone } from './values.ts'
import { testRules } from './words.ts'
import { unknownName } from './unknown.ts'

type WithoutPlace<T> = T extends unknown ? Omit<T, 'at'> : never
type Compiled = WithoutPlace<Condition>

/** What a test means; `undefined`, and errors told, where it means nothing. */
function compileTest(test: SieveTest, scope: Scope): Condition | undefined {
  const rule = testRules.get(test.name)
  if (!rule) {
    scope.tell(test.at, unknownName('test', test.name, testRules))
    return undefined
  }
  if (rule.extensions) scope.needs(rule.extensions, test.at, test.name)
  const given = readArguments(test, rule, scope)
  const tests = compileTests(test, scope, rule.tests)
  if (!given || !tests) return undefined
  const compiled = meaningOf(test, given, tests, scope)
  return { ...compiled, at: shownPosition(test.at) } as Condition
}

/** The tests that a node holds; `undefined`, and told, where they are not as many as it takes. */
export function compileTests(node: SieveNode, scope: Scope, takes: 'one' | 'several' | undefined): Condition[] | undefined {
  const compiled = node.tests.map((test) => compileTest(test, scope))
  const { name, at, tests, listed } = node
  if (takes === undefined && tests.length > 0) {
    scope.tell(tests[0]!.at, `${name} takes no test`)
    return undefined
  }
  if (takes === 'one' && (listed || tests.length !== 1)) {
    const hint = !listed ? '' : tests.length > 1 ? ': put allof or anyof before them' : ', without parentheses'
    scope.tell(at, `${name} takes one test${hint}`)
    return undefined
  }
  if (takes === 'several' && !listed) {
    scope.tell(at, `${name} takes tests in parentheses, with commas between them`)
    return undefined
  }
  return compiled.every((test) => test !== undefined) ? compiled : undefined
}

function meaningOf(test: SieveTest, given: Given, tests: readonly Condition[], scope: Scope): Compiled {
  const keyed = (place: number): { readonly match: Matching; readonly keys: readonly Text[] } => ({
    match: scope.match(given, test),
    keys: scope.texts(given.strings(place)),
  })
  switch (test.name) {
    case 'allof':
      return { kind: 'all', of: tests }
    case 'anyof':
      return { kind: 'any', of: tests }
    case 'not':
      return { kind: 'not', of: tests[0]! }
    case 'exists':
      return { kind: 'exists', names: fieldNames(given, scope) }
    case 'size':
      if (!given.has('over') && !given.has('under')) scope.tell(test.at, 'size takes :over or :under before its number')
      return { kind: 'size', over: given.has('over'), octets: given.number(0) ?? 0 }
    case 'header':
      return { kind: 'header', names: fieldNames(given, scope), index: scope.index(given, test), ...keyed(1) }
    case 'address':
      return {
        kind: 'address',
        part: partOf(given),
        names: addressNames(given, scope),
        index: scope.index(given, test),
        ...keyed(1),
      }
    case 'envelope':
      return { kind: 'envelope', part: partOf(given), parts: envelopeParts(given, scope), ...keyed(1) }
    case 'body':
      return { kind: 'body', transform: transformOf(given, scope), ...keyed(0) }
    case 'string':
      return { kind: 'string', values: scope.texts(given.strings(0)), ...keyed(1) }
    case 'hasflag':
      if (given.hasAt(0)) scope.needs('variables', test.at, 'a variable of flags')
      return { kind: 'hasflag', variables: given.hasAt(0) ? scope.texts(given.strings(0)) : undefined, ...keyed(1) }
    case 'currentdate':
    case 'date':
      return dateTest(test, given, scope)
    case 'environment':
      return { kind: 'environment', name: scope.text(given.string(0)!), ...keyed(1) }
    default:
      return storeTest(test, given, scope)
  }
}

/** Tests that ask the mail store, or what was remembered; and constants. */
function storeTest(test: SieveTest, given: Given, scope: Scope): Compiled {
  switch (test.name) {
    case 'mailboxexists':
      return { kind: 'mailboxexists', names: given.strings(0).map((name) => mailboxName(name, scope)) }
    case 'specialuse_exists': {
      const mailbox = given.string(0)
      const isUse = (text: string): boolean => specialUses.has(text.toLowerCase())
      const uses = given.strings(1).map((use) => scope.checked(use, isUse, 'use of a mailbox: \\Sent is one'))
      return { kind: 'specialuse_exists', mailbox: mailbox && mailboxName(mailbox, scope), uses }
    }
    case 'duplicate': {
      const [handle, header, uniqueId] = ['handle', 'header', 'uniqueid'].map((tag) => {
        const string = given.string(tag)
        return string && scope.text(string)
      })
      return { kind: 'duplicate', handle, header, uniqueId, seconds: given.number('seconds'), last: given.has('last') }
    }
    default:
      return { kind: test.name === 'true' ? 'true' : 'false' }
  }
}

function mailboxName(string: Parameters<Scope['text']>[0], scope: Scope): Text {
  return scope.checked(string, (text) => readMailboxName(text) !== undefined, 'name of a mailbox')
}

function fieldNames(given: Given, scope: Scope): readonly Text[] {
  return given.strings(0).map((name) => scope.checked(name, isFieldName, 'name of a header field'))
}

function addressNames(given: Given, scope: Scope): readonly Text[] {
  const what = 'header field that holds addresses: use header instead'
  return given.strings(0).map((name) => scope.checked(name, isAddressField, what))
}

function envelopeParts(given: Given, scope: Scope): readonly Text[] {
  const isPart = (text: string): boolean => /^(from|to)$/i.test(text)
  return given.strings(0).map((name) => scope.checked(name, isPart, 'part of an envelope: there are "from" and "to"'))
}

function partOf(given: Given): AddressPart {
  return (['localpart', 'domain', 'user', 'detail'] as const).find((part) => given.has(part)) ?? 'all'
}

function transformOf(given: Given, scope: Scope): BodyTransform {
  if (given.has('content')) return { kind: 'content', types: scope.texts(given.strings('content')) }
  return { kind: given.has('raw') ? 'raw' : 'text' }
}

function dateTest(test: SieveTest, given: Given, scope: Scope): Compiled {
  const first = test.name === 'date' ? 1 : 0
  const zone = given.string('zone')
  return {
    kind: 'date',
    header: first === 0 ? undefined : scope.checked(given.string(0)!, isFieldName, 'name of a header field'),
    index: first === 0 ? undefined : scope.index(given, test),
    zone: zone && scope.checked(zone, (text) => readZone(text) !== undefined, 'time zone: +0100 is one'),
    original: given.has('originalzone'),
    part: scope.checked(given.string(first)!, isDatePart, 'part of a date: "year" and "weekday" are some'),
    match: scope.match(given, test),
    keys: scope.texts(given.strings(first + 1)),
  }
}
