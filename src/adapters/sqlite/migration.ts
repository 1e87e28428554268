/** One step of the schema. What was once released is never edited: a change is a further step. */
export interface Migration {
  readonly name: string
  readonly sql: string
}
