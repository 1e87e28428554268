// Compiles src/protocol/bytes/kernel.wat into kernel.ts. Run it after a change of the .wat file; a test compares the two.
import { readFileSync, writeFileSync } from 'node:fs'
import wabt from 'wabt'

const room = new URL('../src/protocol/bytes/', import.meta.url)

/** The text of kernel.ts for the .wat file as it stands. */
export async function compile() {
  const module = (await wabt()).parseWat('kernel.wat', readFileSync(new URL('kernel.wat', room), 'utf8'), { simd: true })
  module.validate()
  const octets = [...module.toBinary({}).buffer]
  const lines = []
  for (let at = 0; at < octets.length; at += 25) lines.push(`  ${octets.slice(at, at + 25).join(', ')},`)
  return `// Compiled from kernel.wat by scripts/kernel.mjs; do not edit.\n\n/** The WebAssembly module of kernel.wat. */\nexport const kernel: Uint8Array = Uint8Array.of(\n${lines.join('\n')}\n)\n`
}

if (process.argv[1] && import.meta.url.endsWith(process.argv[1].replace(/^.*\//, '/'))) {
  writeFileSync(new URL('kernel.ts', room), await compile())
}
