import { describe, it } from 'vitest'
import { memoryQueue } from '../../../src/adapters/memory/queue.ts'
import { mailQueueContract } from '../../../src/testing/contracts/mail-queue.ts'

mailQueueContract({ describe, it, open: async () => ({ queue: memoryQueue() }), skipped: () => {} })
