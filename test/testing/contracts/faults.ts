import type { Runner } from '../../../src/testing/contracts/checks.ts'

/** The topics of a suite of which a check fails. */
export async function caught(suite: (runner: Runner) => void): Promise<string[]> {
  const checks: { readonly topic: string; readonly run: () => Promise<void> }[] = []
  let topic = ''
  suite({
    describe: (name, define) => {
      topic = name
      define()
    },
    it: (_name, run) => void checks.push({ topic, run }),
    skipped: () => {},
  })
  const failed = new Set<string>()
  for (const check of checks) await check.run().catch(() => failed.add(check.topic))
  return [...failed]
}
