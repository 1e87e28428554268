import type { Policy } from '../contracts/policy.ts'
import { MailError } from '../protocol/session/errors.ts'
import { nearest } from '../protocol/session/nearest.ts'
import { shownValue } from '../protocol/session/options.ts'

/** What a policy may have, beside its name and how long it waits. */
const all = ['connect', 'hello', 'auth', 'sender', 'recipient', 'message', 'judged', 'closed'] satisfies (keyof Policy)[]
const methods: readonly string[] = all
/** What a class can mean by a method of nearly the same name: `judge` is a word of its own. */
const meaningful = methods.filter((method) => method !== 'judged')

/**
 * Looks at a policy before it is asked anything: a stage that is misspelt would never be reached, and let pass what it was
 * written to refuse. A plain object has a name and stages, nothing else; an instance of a class may have what it likes, as long
 * as none of its methods is one letter away from a stage.
 *
 * @throws MailError `config` that says what is wrong
 */
export function checkPolicy(policy: unknown): asserts policy is Policy {
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy)) {
    const call = typeof policy === 'function' ? ' (call it, if it makes a policy)' : ''
    const takes = 'an object with a name and a method for each stage it has a say in'
    throw new MailError('config', `policies: ${shownValue(policy)} is no policy${call}; a policy is ${takes}.`)
  }
  const { name } = policy as { name?: unknown }
  if (typeof name !== 'string' || name === '') throw new MailError('config', 'policies: a policy has no name; it takes a text.')
  for (const key of isPlain(policy) ? Object.keys(policy) : methodsOf(policy)) {
    if (key === 'name' || key === 'waits' || methods.includes(key)) continue
    const meant = isPlain(policy) ? nearest(key, methods) : nearest(key, meaningful, 1)
    if (meant === undefined && !isPlain(policy)) continue
    const hint = meant === undefined ? `There are: ${methods.join(', ')}.` : `Did you mean ${meant}?`
    throw new MailError('config', `policy ${name}: there is no stage ${JSON.stringify(key)}. ${hint}`)
  }
  const stages = methods.filter((method) => (policy as Record<string, unknown>)[method] !== undefined)
  for (const stage of stages) {
    const value = (policy as Record<string, unknown>)[stage]
    if (typeof value === 'function') continue
    throw new MailError('config', `policy ${name}: ${stage} is ${shownValue(value)}; it takes a function.`)
  }
  if (stages.length === 0) throw new MailError('config', `policy ${name} has no stage. There are: ${methods.join(', ')}.`)
}

function isPlain(object: object): boolean {
  const above: unknown = Object.getPrototypeOf(object)
  // Of another realm too: its prototype has none itself.
  return above === null || Object.getPrototypeOf(above) === null
}

/** The methods of an instance, those of its classes included. */
function methodsOf(instance: object): string[] {
  const found: string[] = []
  for (let at = instance; !isPlainPrototype(at); at = Object.getPrototypeOf(at) as object) {
    for (const key of Object.getOwnPropertyNames(at)) {
      const { value } = Object.getOwnPropertyDescriptor(at, key) as PropertyDescriptor
      if (typeof value === 'function' && key !== 'constructor') found.push(key)
    }
  }
  return found
}

const isPlainPrototype = (object: object | null): boolean => object === null || Object.getPrototypeOf(object) === null
