import type { Reporter, TestCase } from 'vitest/node'

/**
 * Tells of tests that passed only when they were tried again, and of what they failed by at first: a race in them, or in what
 * they test, is to be looked for even where it holds nobody up.
 */
export default class SecondTries implements Reporter {
  private readonly told: string[] = []

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky !== true) return
    const why = test.result().errors?.map(({ message }) => message.split('\n', 1)[0]).join('; ') ?? ''
    this.told.push(`${test.module.relativeModuleId} > ${test.fullName}: ${why}`)
  }

  onTestRunEnd(): void {
    for (const line of this.told) console.log(`passed at the second try: ${line}`)
  }
}
