import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'tsup'
import { afterAll, beforeAll } from 'vitest'

/**
 * Builds the command line for the tests of a file, in a folder from which its packages are found. What it gives tells the path
 * of its main file, once the tests run.
 */
export function builtCli(): () => string {
  let folder = ''
  beforeAll(async () => {
    folder = mkdtempSync(resolve('node_modules', '.posthorn-cli-'))
    await build({
      config: false,
      entry: { main: 'src/cli/main.ts' },
      outDir: folder,
      format: 'esm',
      target: 'node20',
      platform: 'node',
      removeNodeProtocol: false,
      silent: true,
      dts: false,
    })
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return () => join(folder, 'main.js')
}
