import { resolve } from 'node:path'
import { defineConfig } from 'vitest/config'
import { blockPlugin, paths } from './test/house/blocks.ts'

export default defineConfig({
  plugins: [blockPlugin()],
  resolve: {
    alias: Object.entries(paths).map(([name, [source = '']]) => ({ find: new RegExp(`^${name}$`), replacement: resolve(source) })),
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/{package,examples,interop}/**', 'node_modules/**'],
    testTimeout: 30_000,
    // By default one core is left for the main process, which is idle for most of the time.
    maxWorkers: '100%',
  },
})
