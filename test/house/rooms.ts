/** The public subpaths: what each is called in dist/ and the file it is built from. */
export const rooms = {
  '.': { name: 'index', source: 'src/index.ts' },
  './smtp': { name: 'smtp', source: 'src/protocol/smtp/index.ts' },
  './imap': { name: 'imap', source: 'src/protocol/imap/index.ts' },
  './pop3': { name: 'pop3', source: 'src/protocol/pop3/index.ts' },
  './sasl': { name: 'sasl', source: 'src/protocol/sasl/index.ts' },
  './session': { name: 'session', source: 'src/protocol/session/index.ts' },
  './message': { name: 'message', source: 'src/message/index.ts' },
  './contracts': { name: 'contracts', source: 'src/contracts/index.ts' },
  './outbound': { name: 'outbound', source: 'src/outbound/index.ts' },
  './node': { name: 'node', source: 'src/adapters/node/index.ts' },
  './memory': { name: 'memory', source: 'src/adapters/memory/index.ts' },
  './sqlite': { name: 'sqlite', source: 'src/adapters/sqlite/index.ts' },
  './maildir': { name: 'maildir', source: 'src/adapters/maildir/index.ts' },
  './mailauth': { name: 'mailauth', source: 'src/adapters/mailauth/index.ts' },
  './testing': { name: 'testing', source: 'src/testing/index.ts' },
  './vitest': { name: 'vitest', source: 'src/testing/vitest.ts' },
} as const
