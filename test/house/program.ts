import { resolve } from 'node:path'
import ts from 'typescript'
import type { Source } from './source.ts'

/** A TypeScript project read from its configuration file, with samples in memory laid over what is on disk. */
export function program(config: string, samples: readonly Source[], more: ts.CompilerOptions = {}): ts.Program {
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(config, ts.sys.readFile).config, ts.sys, '.')
  const merged: ts.CompilerOptions = { ...options, ...more, noEmit: true }
  const laid = new Map(samples.map(({ path, text }) => [resolve(path), text]))
  const host = ts.createCompilerHost(merged)
  const { fileExists, readFile } = host
  host.fileExists = (path) => laid.has(resolve(path)) || fileExists(path)
  host.readFile = (path) => laid.get(resolve(path)) ?? readFile(path)
  host.getSourceFile = (path, target) => {
    const text = host.readFile(path)
    return text === undefined ? undefined : ts.createSourceFile(path, text, target)
  }
  return ts.createProgram({ rootNames: [...laid.keys()], options: merged, host })
}

/** What the compiler says of the files at `paths`: `path:line message`. */
export function complaints(of: ts.Program, paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const file = of.getSourceFile(resolve(path))
    if (!file) return [`${path}:1 is not part of the program`]
    return [...of.getSyntacticDiagnostics(file), ...of.getSemanticDiagnostics(file)].map(({ start, messageText }) => {
      const line = file.getLineAndCharacterOfPosition(start ?? 0).line + 1
      return `${path}:${line} ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
  })
}
