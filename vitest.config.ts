import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'
import { blockPlugin, paths } from './test/house/blocks.ts'

// Tests that touch the machine, or put something in the place of its parts: each file of them has a process of its own.
const alone = ['test/adapters/{maildir,node,nodemailer,sqlite}/**/*.test.ts', 'test/cli/**/*.test.ts']
const elsewhere = ['test/{package,examples,interop}/**', 'node_modules/**']

export default defineConfig({
  plugins: [blockPlugin()],
  resolve: {
    alias: Object.entries(paths).map(([name, [source = '']]) => ({ find: new RegExp(`^${name}$`), replacement: resolve(source) })),
  },
  test: {
    // Nothing takes long here; a machine that does much else at the same time makes it long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // By default one core is left for the main process, which is idle for most of the time.
    maxWorkers: '100%',
    projects: [
      { extends: true, test: { name: 'machine', include: alone, exclude: elsewhere } },
      // The rest keeps no state in its modules: importing them anew for each file would take half of the time.
      { extends: true, test: { name: 'pure', include: ['test/**/*.test.ts'], exclude: [...alone, ...elsewhere], isolate: false } },
    ],
  },
})
