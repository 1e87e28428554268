// What is measured, against whom, and what is aimed at. Ratios are of capacity: messages per CPU second of the server.
const K = 1024
const STARTTLS = { startTls: true }

/** A load: octets of content, sessions, how commands and content are written, messages a connection (0: all). */
const cell = (octets, sessions, mode, more = {}) => ({ octets, sessions, mode, perConnection: 0, startTls: false, ...more })

/** `of` is what is compared: capacity (messages per CPU second), rate (messages per second), p50 or p99 (milliseconds; less is better). */
const beat = (peer, atLeast, of = 'capacity') => ({ peer, atLeast, of })

export const smtp = [
  { id: 'PS1', ours: 'posthorn', cell: cell(K, 10, 'lockstep'), against: [beat('smtp-server', 1.4), beat('smtp-sink', 0.85)] },
  { id: 'PS2', ours: 'posthorn', cell: cell(K, 10, 'pipe'), against: [beat('smtp-server', 2.1), beat('smtp-sink', 0.95)] },
  { id: 'PS3', ours: 'posthorn', cell: cell(10 * K, 10, 'lockstep'), against: [beat('smtp-server', 1.7), beat('smtp-sink', 1.5)] },
  { id: 'PS4', ours: 'posthorn', cell: cell(10 * K, 10, 'pipe'), against: [beat('smtp-server', 2.2), beat('smtp-sink', 1.8)] },
  { id: 'PS5', ours: 'posthorn', cell: cell(10 * K, 10, 'full'), against: [beat('smtp-server', 3.5), beat('smtp-sink', 2.8)] },
  { id: 'PS6', ours: 'posthorn', cell: cell(100 * K, 10, 'pipe'), against: [beat('smtp-server', 3.5), beat('smtp-sink', 4.8)] },
  { id: 'PS7', ours: 'posthorn', cell: cell(5e6, 1, 'pipe'), against: [beat('smtp-server', 4.5), beat('smtp-sink', 5.5)] },
  { id: 'PS8', ours: 'posthorn', cell: cell(10 * K, 200, 'lockstep', { perConnection: 1 }), against: [beat('smtp-server', 2.3), beat('smtp-sink', 0.75)] },
  { id: 'PS9', ours: 'posthorn', cell: cell(K, 10, 'lockstep', { perConnection: 1 }), against: [beat('smtp-server', 80, 'rate'), beat('smtp-sink', 0.7, 'rate')] },
  { id: 'PS10a', ours: 'posthorn', cell: cell(10 * K, 10, 'pipe', STARTTLS), against: [beat('smtp-server', 1.6), beat('postfix', 25)] },
  { id: 'PS10b', ours: 'posthorn', cell: cell(100 * K, 10, 'pipe', STARTTLS), against: [beat('smtp-server', 1.8)] },
  { id: 'PS10c', ours: 'posthorn', cell: cell(10 * K, 10, 'lockstep', { ...STARTTLS, perConnection: 1 }), against: [beat('smtp-server', 1.4)] },
  { id: 'PS13', ours: 'posthorn', cell: cell(10 * K, 10, 'pipe'), against: [beat('smtp-server', 1 / 0.6, 'p99'), beat('smtp-sink', 1, 'p99')] },
  { id: 'PD1', ours: 'durable', cell: cell(10 * K, 10, 'pipe'), against: [beat('smtp-server-fsync', 2.5), beat('postfix', 12)] },
  { id: 'PD2', ours: 'durable', cell: cell(10 * K, 50, 'pipe'), against: [beat('smtp-server-fsync', 2, 'rate'), beat('postfix', 12, 'rate')] },
  { id: 'PD3', ours: 'durable', cell: cell(10 * K, 1, 'pipe'), against: [beat('smtp-server-fsync', 1 / 0.7, 'p50'), beat('postfix', 1 / 0.33, 'p50')] },
  // The whole MX beside the receiver with a store: what directory, quota and mailboxes cost. The same targets.
  { id: 'PD1 mailbox', ours: 'mailbox', cell: cell(10 * K, 10, 'pipe'), against: [beat('smtp-server-fsync', 2.5), beat('postfix', 12)] },
  { id: 'PD2 mailbox', ours: 'mailbox', cell: cell(10 * K, 50, 'pipe'), against: [beat('smtp-server-fsync', 2, 'rate'), beat('postfix', 12, 'rate')] },
  { id: 'PD3 mailbox', ours: 'mailbox', cell: cell(10 * K, 1, 'pipe'), against: [beat('smtp-server-fsync', 1 / 0.7, 'p50'), beat('postfix', 1 / 0.33, 'p50')] },
  // The whole receiver beside the session alone: what policies, envelope and a body in memory cost. No target.
  { id: 'receiver 1 KB', ours: 'receiver', cell: cell(K, 10, 'pipe'), against: [beat('smtp-server', 1)] },
  { id: 'receiver 10 KB', ours: 'receiver', cell: cell(10 * K, 10, 'pipe'), against: [beat('smtp-server', 1)] },
  { id: 'receiver 100 KB', ours: 'receiver', cell: cell(100 * K, 10, 'pipe'), against: [beat('smtp-server', 1)] },
]

/** Enqueue durably and bring to a sink: 10 KB, 10 connections. */
export const outbound = {
  id: 'PO1',
  ours: 'outbound',
  cell: cell(10 * K, 10, 'pipe'),
  against: [beat('postfix-outbound', 3), beat('haraka-outbound', 5)],
}

/** Resident memory per idle connection, in KB. */
export const idle = [
  { id: 'PS11', ours: 'posthorn', connections: 5000, startTls: false, atMost: 7, beside: ['receiver', 'smtp-server', 'node-floor'] },
  { id: 'PS12', ours: 'posthorn', connections: 1000, startTls: true, atMost: 36, beside: ['smtp-server'] },
]

/** The protocol engine alone, in CPU microseconds a message. */
export const engine = [
  { octets: K, atMost: 3 },
  { octets: 10 * K, atMost: 5 },
  { octets: 100 * K, atMost: 25 },
  { octets: 5e6, atMost: 1300 },
]

/** A storm of wrong passwords: milliseconds of other commands. */
export const login = { id: 'PL1', below: 50 }

/** Headers and structure, against mailparser. */
export const parse = { id: 'PP2', atLeast: 30 }
