import { defineConfig } from 'vitest/config'

/** What needs a build, other programs or minutes: one file at a time, so that they do not fight for the machine. */
export default defineConfig({
  test: {
    include: ['test/{package,examples,interop}/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 600_000,
  },
})
