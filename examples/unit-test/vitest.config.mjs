import { defineConfig } from 'vitest/config'

// Nothing has to be set for the mailbox. This file keeps vitest from the settings of the folders above.
export default defineConfig({ test: { include: ['*.test.mjs'] } })
