import { crashing } from '../adapters/maildir/crashing.ts'

// No step of the disk is so small that a crash there loses mail.
crashing(1)
