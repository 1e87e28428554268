import { lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { MailError } from '../../protocol/session/errors.ts'

/** Where a server was to listen, for messages. */
export interface ListenPlace {
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly path?: string | undefined
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

const nameOfPlace = ({ host, port, path }: ListenPlace): string =>
  path ?? (host === undefined ? `port ${port}` : `port ${port} of ${host}`)

const remedies = new Map([
  ['EADDRINUSE', 'is in use: stop the other server, or choose another port'],
  ['EACCES', 'needs privileges: choose a port from 1024 on, or allow it with '
    + '"setcap cap_net_bind_service=+ep $(command -v node)" or "sysctl net.ipv4.ip_unprivileged_port_start=25"'],
  ['EADDRNOTAVAIL', 'cannot be had: this machine has no such address; leave the host out for all addresses'],
  ['ENOTFOUND', 'cannot be had: no such host name; give an address of this machine'],
  ['EAFNOSUPPORT', 'cannot be had: this machine has no such kind of address'],
])

const pathRemedies = new Map([
  ['EADDRINUSE', 'is in use: another server listens there, or something else lies at this path'],
  ['EACCES', 'cannot be made: this user may not write to its folder'],
  ['ENOENT', 'cannot be made: its folder does not exist'],
  ['EINVAL', 'cannot be made: the path of a unix socket takes about 100 characters at most'],
])

/** A `config` MailError that says where, why and what to do. */
export function listenError(place: ListenPlace, cause: unknown): MailError {
  const remedy = (place.path === undefined ? remedies : pathRemedies).get(codeOf(cause) ?? '')
  const why = remedy ?? `cannot be listened on: ${cause instanceof Error ? cause.message : String(cause)}`
  return new MailError('config', `${nameOfPlace(place)} ${why}`, { cause })
}

/**
 * Removes the unix socket of a server that died without doing so; `true` when it did. Anything that is no socket, and any socket
 * that somebody answers on, stays.
 */
export async function removeStaleSocket(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined)
  if (!found?.isSocket() || await answers(path)) return false
  await unlink(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error
  })
  return true
}

/** Only a refusal proves that nobody is there: a full backlog (EAGAIN) or missing permission does not. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.on('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.on('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'))
  })
}
