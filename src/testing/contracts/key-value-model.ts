import type { KeyValue } from '../../contracts/key-value.ts'
import { seededRandom, type SeededRandom } from '../random.ts'
import { allOf, equal, type Runner } from './checks.ts'

const SEQUENCES = 8
const STEPS = 60

const keys = ['a', 'a:b', 'a:c', 'b', 'B'] as const
const values = ['x', 'y', '', '7', '-2'] as const

interface Kept {
  readonly value: string
  readonly until: number
}

/** What a store is, said in the plainest way: a map, and a rule about time. */
class Model {
  readonly #kept = new Map<string, Kept>()

  get(key: string, now: number): Kept | undefined {
    const found = this.#kept.get(key)
    return found && now < found.until ? found : undefined
  }

  put(key: string, kept: Kept | undefined): void {
    if (kept) this.#kept.set(key, kept)
    else this.#kept.delete(key)
  }

  list(prefix: string, now: number): [string, string][] {
    const there = keys.filter((key) => key.startsWith(prefix) && this.get(key, now))
    return [...there].sort().map((key) => [key, this.get(key, now)!.value])
  }
}

/** A step: what the store says, and what the model says. */
type Step = readonly [what: string, actual: Promise<unknown>, expected: unknown]

/** Any sequence of calls gives what a map would. */
export function likeAModel({ it, open }: Runner & { readonly open: () => Promise<{ readonly store: KeyValue }> }): void {
  for (let seed = 1; seed <= SEQUENCES; seed++) {
    it(`is a map with times (seed ${seed})`, async () => {
      const { store } = await open()
      const random = seededRandom(seed)
      const model = new Model()
      const told: string[] = []
      let now = 1_800_000_000_000
      for (let i = 0; i < STEPS; i++) {
        now += random.below(3) * random.below(400)
        const [what, actual, expected] = take(store, model, random, now)
        told.push(what)
        equal(await actual, expected, `after ${told.slice(-12).join(', ')}: the result`)
        const there = (await allOf(store.list('', now))).flat()
        equal(there.map(([key, value]) => [key, value]), model.list('', now), `after ${told.slice(-12).join(', ')}: the list`)
      }
    })
  }
}

function take(store: KeyValue, model: Model, random: SeededRandom, now: number): Step {
  const one = <T>(of: readonly T[]): T => of[random.below(of.length)] as T
  const key = one(keys)
  const ends = random.below(4) > 0 ? now + random.below(1000) : undefined
  const keeping = { now, ...(ends !== undefined && { until: ends }) }
  const until = ends ?? Infinity
  const before = model.get(key, now)
  const at = `${key} at ${now - 1_800_000_000_000} until ${until - now}`
  switch (random.below(6)) {
    case 0: {
      const value = one(values)
      model.put(key, { value, until })
      return [`set ${at} to ${value}`, store.set(key, value, keeping), undefined]
    }
    case 1: {
      const [expected, value] = [random.below(2) > 0 ? before?.value : one(values), one([...values, undefined])]
      const does = expected === before?.value
      if (does) model.put(key, value === undefined ? undefined : { value, until })
      return [`swap ${at} from ${expected} to ${value}`, store.swap(key, expected, value, keeping), does]
    }
    case 2:
    case 3: {
      const amount = random.below(9) - 4
      const whole = before === undefined || /^-?[0-9]+$/.test(before.value)
      const sum = amount + Number(before?.value ?? 0)
      if (whole) model.put(key, { value: String(sum), until: before?.until ?? until })
      const added = store.add(key, amount, keeping).catch((error: { code?: unknown }) => error.code)
      return [`add ${amount} to ${at}`, added, whole ? sum : 'misuse']
    }
    case 4:
      model.put(key, undefined)
      return [`remove ${at}`, store.remove(key, now), before !== undefined]
    default:
      return [`get ${at}`, store.get(key, now), before?.value]
  }
}
