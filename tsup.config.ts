import { existsSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'
import { rooms } from './test/house/rooms.ts'

/** Output name by source file: one entry a public subpath. */
const entries = Object.fromEntries(
  Object.values(rooms).filter(({ source }) => existsSync(source)).map(({ name, source }) => [name, source]),
)
const cli = existsSync('src/cli/main.ts') ? { 'cli/main': 'src/cli/main.ts' } : {}

const shared: Options = {
  target: 'node20',
  platform: 'node',
  // One class a format, whichever subpath it is imported through: shared code goes to chunks, in both formats.
  splitting: true,
  // `sqlite` without the prefix is no builtin module.
  removeNodeProtocol: false,
  clean: false,
  silent: true,
}

// `tsup --no-dts` is the quick build of `npm start`: the ESM code alone.
export default defineConfig((flags) => {
  const quick = (flags.dts as unknown) === false
  const esm: Options = { ...shared, format: 'esm', entry: { ...entries, ...cli }, dts: quick ? false : { entry: entries } }
  // CommonJS has no import.meta: the shim gives its url.
  const cjs: Options = { ...shared, format: 'cjs', entry: entries, dts: { entry: entries }, shims: true }
  return quick ? [esm] : [esm, cjs]
})
