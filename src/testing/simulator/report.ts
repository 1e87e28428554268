import type { Simulation } from './simulate.ts'

/** Lines of a transcript that are shown. */
const SHOWN = 40

/**
 * What is wrong with a run, in words: how to run it again, what it was like, its last lines. `again`: a second run of the same
 * seed, which should have been the same.
 */
export function simulationReport(simulation: Simulation, again: Simulation = simulation): string {
  const { seed, plan, violations, hash, transcript } = simulation
  const differs = again.hash === hash ? [] : [`Two runs differ: ${hash} and ${again.hash}; ${firstDifference(simulation, again)}`]
  return [
    `Seed ${seed} fails. To run it again: npm run simulate -- --seed ${seed}`,
    JSON.stringify(plan),
    ...transcript.slice(-SHOWN),
    ...differs,
    ...violations,
  ].join('\n')
}

function firstDifference({ transcript }: Simulation, again: Simulation): string {
  const at = transcript.findIndex((line, index) => line !== again.transcript[index])
  return at < 0 ? 'the lines that are kept are the same' : `first: ${transcript[at]} / ${again.transcript[at]}`
}
