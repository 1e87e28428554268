// Headers and structure of a corpus of 2–50 KB messages: our indexer beside mailparser, which also decodes; each in a process of its own.
import { fork } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { message } from './corpus.mjs'
import { fmt, median, spread } from './lib/proc.mjs'

const COUNT = 1000

const parsers = {
  posthorn: async () => (await import('posthorn/message')).indexMessage,
  mailparser: async () => {
    const { simpleParser } = await import('mailparser')
    return (bytes) => simpleParser(bytes, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true, skipTextLinks: true })
  },
}

async function measure(name, folder, rounds) {
  const messages = fs.readdirSync(folder).sort().map((file) => fs.readFileSync(path.join(folder, file)))
  const octets = messages.reduce((sum, { length }) => sum + length, 0)
  const parse = await parsers[name]()
  for (const bytes of messages.slice(0, 400)) await parse(bytes)
  const rates = []
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage()
    // A round long enough to be counted, whatever the parser's pace.
    const repeats = name === 'mailparser' ? 1 : 10
    for (let repeat = 0; repeat < repeats; repeat++) for (const bytes of messages) await parse(bytes)
    const spent = process.cpuUsage(before)
    rates.push((octets * repeats) / (spent.user + spent.system))
  }
  return rates
}

export async function run({ rounds, target, folder }) {
  const corpus = path.join(folder, 'corpus')
  fs.mkdirSync(corpus, { recursive: true })
  for (let i = 0; i < COUNT; i++) fs.writeFileSync(path.join(corpus, `${String(i).padStart(6, '0')}.eml`), message(i + 1).raw)
  const figures = {}
  for (const name of Object.keys(parsers)) {
    figures[name] = await new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), [], { env: { ...process.env, PARSER: name, CORPUS: corpus, ROUNDS: String(rounds) } })
      child.on('message', resolve)
      child.on('exit', (code) => code && reject(new Error(`${name} ended with ${code}`)))
    })
  }
  const [ours, theirs] = [median(figures.posthorn), median(figures.mailparser)]
  console.log('\n| id | parser | MB a CPU second (min–max) | ratio | aimed at | met |\n|---|---|---|---|---|---|')
  console.log(`| ${target.id} | posthorn, headers and structure | ${fmt(ours)} (${spread(figures.posthorn).map(fmt).join('–')}) | ${fmt(ours / theirs)} | ${target.atLeast} | ${ours / theirs >= target.atLeast ? 'yes' : 'no'} |`)
  console.log(`| | mailparser, whole | ${fmt(theirs)} (${spread(figures.mailparser).map(fmt).join('–')}) | 1 | | |`)
}

if (process.env.PARSER) process.send(await measure(process.env.PARSER, process.env.CORPUS, Number(process.env.ROUNDS)))
