import type { HeaderEdit } from '../../contracts/filter.ts'
import type { HeaderField, Headers } from '../../message/headers.ts'

/** A field of the message, or one that the script has added. */
export interface EditedField extends Pick<HeaderField, 'value' | 'text'> {
  readonly name: string
  /** Of the message. */
  readonly field?: HeaderField
}

/**
 * Fields that no script takes out: RFC 5293 §6 names the first two, by the others mail that runs in a circle is known. That it
 * did not happen is told nobody (§6).
 */
const PROTECTED = new Set(['received', 'auto-submitted', 'delivered-to', 'x-sieve-redirected-from'])

/** A header as a script sees it: the message's, with what the script has done to it. */
export class EditedHeaders {
  readonly #message: Headers
  /** In the order in which they stand. */
  #top: EditedField[] = []
  #bottom: EditedField[] = []
  readonly #removed = new Set<HeaderField>()
  #edits: readonly HeaderEdit[] | undefined = []

  constructor(message: Headers) {
    this.#message = message
  }

  /** The fields of a name, from the top. */
  all(name: string): readonly EditedField[] {
    const fields = this.#message.all(name)
    if (this.#top.length + this.#bottom.length + this.#removed.size === 0) return fields
    const key = name.toLowerCase()
    const isNamed = (field: EditedField): boolean => field.name.toLowerCase() === key
    const left = fields.filter((field) => !this.#removed.has(field)).map((field) => ({
      name: field.name, value: field.value, text: field.text, field,
    }))
    return [...this.#top.filter(isNamed), ...left, ...this.#bottom.filter(isNamed)]
  }

  /** Adds a field. */
  add(name: string, text: string, last: boolean): void {
    const added = { name, value: text.trim(), text: text.trim() }
    if (last) this.#bottom.push(added)
    else this.#top.unshift(added)
    this.#edits = undefined
  }

  /** Takes fields out, as {@link all} gives them. Whether they may be. */
  remove(name: string, fields: readonly EditedField[]): boolean {
    if (PROTECTED.has(name.toLowerCase())) return false
    const gone = new Set<EditedField>(fields)
    for (const field of fields) if (isOfMessage(field)) this.#removed.add(field.field ?? field)
    this.#top = this.#top.filter((field) => !gone.has(field))
    this.#bottom = this.#bottom.filter((field) => !gone.has(field))
    this.#edits = undefined
    return true
  }

  /** What has been done to the header so far. The same list as long as nothing more is. */
  get edits(): readonly HeaderEdit[] {
    this.#edits ??= [
      ...[...this.#removed].map(({ start, end }): HeaderEdit => ({ kind: 'remove', start, end })).toSorted(byStart),
      // Of fields that are put first the latter stands above.
      ...this.#top.toReversed().map(({ name, value }): HeaderEdit => ({ kind: 'add', name, value, last: false })),
      ...this.#bottom.map(({ name, value }): HeaderEdit => ({ kind: 'add', name, value, last: true })),
    ]
    return this.#edits
  }
}

function isOfMessage(field: EditedField): field is EditedField & HeaderField {
  return field.field !== undefined || 'start' in field
}

function byStart(one: HeaderEdit, other: HeaderEdit): number {
  return one.kind === 'remove' && other.kind === 'remove' ? one.start - other.start : 0
}
