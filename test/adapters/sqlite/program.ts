import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { freshFolder } from './folders.ts'

/** What the adapter is made of. */
const folders = ['src/adapters/sqlite', 'src/contracts', 'src/message', 'src/protocol/bytes', 'src/protocol/session']

/**
 * Makes a program of the adapter that another Node can run: its sources as plain JavaScript, and a main file with them at
 * hand as `sqlite` and `lockFolder`. Returns its path.
 */
export function program(main: string): string {
  const at = freshFolder()
  writeFileSync(join(at, 'package.json'), '{"type":"module"}')
  symlinkSync(resolve('node_modules'), join(at, 'node_modules'))
  for (const folder of folders) {
    mkdirSync(join(at, folder), { recursive: true })
    for (const name of readdirSync(folder).filter((one) => one.endsWith('.ts'))) {
      const { outputText } = ts.transpileModule(readFileSync(join(folder, name), 'utf8'), {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, rewriteRelativeImportExtensions: true },
      })
      writeFileSync(join(at, folder, name.replace(/ts$/, 'js')), outputText)
    }
  }
  const path = join(at, 'main.js')
  writeFileSync(path, `import { lockFolder, sqlite } from './src/adapters/sqlite/index.js'\n${main}`)
  return path
}

/** A program that runs, and what it has printed. */
export interface Run {
  readonly child: ChildProcess
  readonly printed: () => string
  /** Resolves when it has printed the text; rejects when it ends without. */
  until(text: string): Promise<void>
  /** Kills it as `kill -9` does, and resolves when it is gone and all it printed is there. */
  kill(): Promise<void>
}

/** Starts a program. It resolves packages from the folder the tests run in. */
export function run(path: string, ...args: string[]): Run {
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  let wake = (): void => {}
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    output += text
    wake()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (errors += text))
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()))
  return {
    child,
    printed: () => output,
    until: async (text) => {
      while (!output.includes(text)) {
        const more = new Promise<void>((resolve) => (wake = resolve))
        const over = await Promise.race([more, closed.then(() => true)])
        if (over === true && !output.includes(text)) throw new Error(`ended without ${text}: ${output}${errors}`)
      }
    },
    kill: async () => {
      child.kill('SIGKILL')
      await closed
    },
  }
}
