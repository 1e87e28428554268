/** The same object with another method in the place of one. */
export function withMethod<T extends object, Name extends keyof T>(of: T, name: Name, method: T[Name]): T {
  return new Proxy(of, {
    get(target, key) {
      if (key === name) return method
      const found: unknown = Reflect.get(target, key, target)
      return typeof found === 'function' ? (found as (...given: unknown[]) => unknown).bind(target) : found
    },
  })
}
