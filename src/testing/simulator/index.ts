/** The simulator: hosts, networks and people in virtual time, all of it drawn from a seed. */
export { simulationReport } from './report.ts'
export type { Sabotage } from './sabotage.ts'
export { simulate } from './simulate.ts'
export type { SimulateOptions, Simulation } from './simulate.ts'
export type { ForeignPlan, HostPlan, Plan } from './plan.ts'
export type { TlsWish } from './servers.ts'
