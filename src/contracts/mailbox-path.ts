/** The order in which mailboxes are listed: parents before children, otherwise by code unit. 0: the paths are the same. */
export function comparePaths(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [x, y] = [a[i] as string, b[i] as string]
    if (x !== y) return x < y ? -1 : 1
  }
  return a.length - b.length
}

/** Whether a path is that one or below it. */
export function isAtOrBelow(path: readonly string[], top: readonly string[]): boolean {
  return top.every((name, index) => path[index] === name)
}
