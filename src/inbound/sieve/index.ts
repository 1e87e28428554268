/** Sieve (RFC 5228): scripts by which people sort their mail, read, checked, run, kept and tried out. */
export { type CompiledSieve, compileSieve } from './check.ts'
export { defaultSieveLimits, type SieveEnvironment, type SieveLimits } from './environment.ts'
export { sieveFilter, type SieveFilterOptions } from './filter.ts'
export { type SieveMessage, sieveMessage } from './message.ts'
export { type ParsedSieve, parseSieve, type SieveBounds } from './parse.ts'
export { printSieve, printString } from './print.ts'
export type {
  AddressPart as SieveAddressPart, BodyTransform as SieveBodyTransform, Branch as SieveBranch,
  ComparatorName as SieveComparator, Condition as SieveCondition, FieldIndex as SieveFieldIndex, Keyed as SieveKeyed,
  Matching as SieveMatching, Relation as SieveRelation, SieveProgram, Statement as SieveStatement, Text as SieveText,
  Vacation as SieveVacation, VariableChange as SieveVariableChange, VariableName as SieveVariableName,
} from './program.ts'
export { runSieve } from './run.ts'
export { type SieveScriptEntry, type SieveScripts, sieveScripts, type SieveScriptsOptions } from './scripts.ts'
export type { SieveArgument, SieveCommand, SieveError, SieveNode, SievePosition, SieveString, SieveTest } from './syntax.ts'
export { testSieve, type TestedSieve, type TestSieveOptions } from './tester.ts'
export { sieveExtensions } from './words.ts'
