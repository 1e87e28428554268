/** Runs it where nobody can ask the machine for the time: whoever tries gets an error that says where the time is. */
export function withoutClocks<T>(run: () => T): T {
  const { Date: RealDate, performance } = globalThis
  const trap = (): never => {
    throw new Error('It looked at the clock of the machine: the time is in stage.now.')
  }
  // A date out of a number or a text is fine.
  globalThis.Date = new Proxy(RealDate, {
    construct: (date, given, target) => (given.length === 0 ? trap() : (Reflect.construct(date, given, target) as object)),
    apply: trap,
    get: (date, key) => (key === 'now' ? trap : (Reflect.get(date, key) as unknown)),
  })
  Object.defineProperty(performance, 'now', { configurable: true, value: trap })
  try {
    return run()
  } finally {
    globalThis.Date = RealDate
    Reflect.deleteProperty(performance, 'now')
  }
}
