import { defineConfig } from 'vitest/config'

/** Real programs over loopback: one file at a time, so that they do not fight for the machine. */
export default defineConfig({
  test: {
    include: ['test/interop/**/*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
