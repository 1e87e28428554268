/**
 * What an account may do with a mailbox of its own: everything (RFC 4314 §2.1). §2.1.1: `c` and `d`, which stand for some of
 * the others, are told to clients of old.
 */
export const ALL_RIGHTS = 'lrswipkxtecda'
