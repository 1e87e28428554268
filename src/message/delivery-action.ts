import { withoutComments } from './lexemes.ts'

/** What became of a message for a recipient (RFC 3464 §2.3.3). */
export type DeliveryAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

const ACTIONS: ReadonlyMap<string, DeliveryAction> = new Map<string, DeliveryAction>([
  ['failed', 'failed'], ['failure', 'failed'], ['delayed', 'delayed'], ['delivered', 'delivered'], ['relayed', 'relayed'],
  ['expanded', 'expanded'],
])

/** The action that the value of an Action field names, in any case, comments aside. */
export function actionOf(value: string): DeliveryAction | undefined {
  const words = withoutComments(value.slice(0, 200)).trim().toLowerCase()
  const blank = words.search(/[^a-z]/)
  return ACTIONS.get(blank < 0 ? words : words.slice(0, blank))
}
