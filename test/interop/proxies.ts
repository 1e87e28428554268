import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './children.ts'
import type { Held } from './held.ts'
import { program } from './programs.ts'

/** What tests with nginx need: its stream module is a file of its own. */
export const NGINX = ['nginx', '/usr/lib/nginx/modules/ngx_stream_module.so'] as const

/** The name that stunnel goes by on this system. */
export const STUNNEL = program('stunnel4') === undefined ? 'stunnel' : 'stunnel4'

/** Starts HAProxy with that configuration; it listens then. */
export function haproxy(held: Held, config: string): Promise<Child> {
  return started(held, 'haproxy', config, (file) => ['-W', '-f', file], /Loading success/)
}

/** Starts nginx with that configuration for its stream module; it listens then. */
export function nginx(held: Held, config: string): Promise<Child> {
  const folder = held.folder('nginx')
  const around = `load_module ${NGINX[1]};
daemon off;
pid ${join(folder, 'pid')};
error_log stderr notice;
events {}
`
  return started(held, 'nginx', around + config, (file) => ['-e', 'stderr', '-c', file], /start worker process \d+/)
}

/** Starts stunnel with that configuration; it listens then. */
export function stunnel(held: Held, config: string): Promise<Child> {
  const around = 'foreground = yes\npid =\ndebug = info\n'
  return started(held, STUNNEL, around + config, (file) => [file], /Configuration successful/)
}

async function started(
  held: Held,
  name: string,
  config: string,
  given: (file: string) => readonly string[],
  ready: RegExp,
): Promise<Child> {
  const file = join(held.folder(name), 'config')
  writeFileSync(file, config)
  const child = held.keep(new Child(name, given(file)))
  await child.said(ready)
  return child
}
