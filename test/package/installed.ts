import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** How a program ended and what it said on both outputs. */
export interface Run {
  readonly ok: boolean
  readonly text: string
}

/** Runs a program to its end. */
export function run(command: string, given: readonly string[], cwd = '.'): Run {
  try {
    return { ok: true, text: execFileSync(command, given, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }) }
  } catch (error) {
    const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message: string }
    return { ok: false, text: `${message}\n${stdout ?? ''}${stderr ?? ''}` }
  }
}

/** The package as its users get it. */
export interface Installed {
  /** An application's folder, in whose node_modules the package and its dependencies are, and no optional peer. */
  readonly app: string
  /** The packed file. */
  readonly tarball: string
  /** Writes a file of the application and gives its path. */
  write(name: string, text: string): string
  /** Makes a package of ours visible to the application. */
  lend(name: string, how: 'link' | 'copy'): void
  remove(): void
}

/** Builds, packs and installs into an empty folder. */
export function install(): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-package-'))
  const packed = run('npm', ['pack', '--silent', '--pack-destination', folder])
  const name = readdirSync(folder).find((entry) => entry.endsWith('.tgz'))
  if (!packed.ok || !name) throw new Error(`npm pack failed:\n${packed.text}`)
  const app = join(folder, 'app')
  const tarball = join(folder, name)
  cpSync('LICENSE', join(app, 'LICENSE'))
  const write = (path: string, text: string): string => {
    writeFileSync(join(app, path), text)
    return join(app, path)
  }
  write('package.json', '{ "name": "app", "version": "1.0.0", "private": true }')
  const installed = run('npm', ['install', '--omit=peer', '--prefer-offline', '--no-audit', '--no-fund', tarball], app)
  if (!installed.ok) throw new Error(`npm install failed:\n${installed.text}`)
  return {
    app,
    tarball,
    write,
    lend(module, how) {
      const [from, to] = [resolve('node_modules', module), join(app, 'node_modules', module)]
      if (how === 'link') symlinkSync(from, to, 'dir')
      else cpSync(from, to, { recursive: true })
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** The files of a built subpath and all chunks that it imports at its top, as `[path, text]`. */
export function reached(folder: string, entry: string): [string, string][] {
  const found = new Map<string, string>()
  const visit = (path: string): void => {
    if (found.has(path)) return
    const text = readFileSync(path, 'utf8')
    found.set(path, text)
    for (const [, specifier] of text.matchAll(/\b(?:from|import)\s*"(\.[^"]+)"/g)) visit(resolve(path, '..', specifier ?? ''))
  }
  visit(join(folder, entry))
  return [...found]
}
