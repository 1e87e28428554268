import { readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { builtCli } from './built.ts'
import { Dialogue } from './dialogue.ts'
import { command, type Line, servers } from './running.ts'

const main = builtCli()
const { folder, serve } = servers(main)

/** A client that has named sender and recipient and begun the content. */
async function inContent(port: number): Promise<Dialogue> {
  const client = new Dialogue(port)
  await client.say()
  expect(await client.sayAll('EHLO c.test', 'MAIL FROM:<a@b.test>', 'RCPT TO:<alice@example.test>', 'DATA')).toMatch(/^354 /)
  return client
}

describe('a data folder', () => {
  it('has one server at a time', async () => {
    const data = folder()
    const { server } = await serve(data)
    const second = await command(main(), ['serve'], { POSTHORN_DATA: data, POSTHORN_MX_PORT: 'auto' })
    expect(second).toMatchObject({ code: 2, out: [] })
    expect(second.error).toBe(
      `posthorn: ${data} is in use by another one (process ${server.child.pid}). Stop that one first, or name another folder`,
    )
    await server.stop()
    expect((await serve(data)).ready).toMatchObject({ event: 'ready' })
  })

  it('is rid of what was coming in when its server was killed', async () => {
    const data = folder()
    const { server, mx } = await serve(data)
    const client = await inContent(mx)
    client.socket.write(`${'x'.repeat(998)}\r\n`.repeat(2000))
    const left = (): string[] => readdirSync(join(data, 'incoming', 'unfinished'))
    while (left().length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    server.child.kill('SIGKILL')
    await server.ended
    expect(left()).toHaveLength(1)
    await serve(data)
    expect(left()).toEqual([])
  })

  it('of a server that was killed is taken over, and has all that was acknowledged', async () => {
    const data = folder()
    const { server, mx } = await serve(data)
    const acknowledged = new Set<string>()
    const send = async (name: string): Promise<void> => {
      const client = new Dialogue(mx)
      await client.say()
      await client.say('EHLO c.test')
      for (let count = 0; ; count++) {
        const subject = `${name}.${count}`
        // Every fourth is too large for a row of the database.
        const text = count % 4 === 3 ? `${'x'.repeat(998)}\r\n`.repeat(700) : 'x\r\n'
        await client.sayAll('MAIL FROM:<a@b.test>', 'RCPT TO:<alice@example.test>', 'DATA')
        const reply = await client.sayAll(`Subject: ${subject}\r\n\r\n${text}.`)
        if (!reply.startsWith('250 2.0.0 ')) return client.close()
        acknowledged.add(subject)
        if (acknowledged.size === 60) server.child.kill('SIGKILL')
      }
    }
    await Promise.all(['a', 'b', 'c', 'd'].map(send))
    expect(await server.ended).toEqual({ code: null, signal: 'SIGKILL' })
    await serve(data)
    const { out } = await command(main(), ['mail'], { POSTHORN_DATA: data })
    const stored = new Set(out.map((line) => (JSON.parse(line) as Line)['subject']))
    expect([...acknowledged].filter((subject) => !stored.has(subject))).toEqual([])
    expect(acknowledged.size).toBeGreaterThanOrEqual(60)
  })
})

describe('a server that is told to stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('by %s lets messages come to their end', async (signal) => {
    const data = folder()
    const { server, mx } = await serve(data)
    const client = await inContent(mx)
    const idle = new Dialogue(mx)
    await idle.say()
    server.child.kill(signal)
    // Who waits for nothing is told at once.
    expect((await idle.say())[0]).toMatch(/^421 4\.3\.2 /)
    expect(await server.logged('stopping')).toMatchObject({ level: 'info', signal })
    const [reply] = await client.say('Subject: last\r\n\r\nx\r\n.')
    expect(reply).toMatch(/^250 /)
    client.close()
    idle.close()
    expect(await server.ended).toEqual({ code: 0, signal: null })
    expect((await command(main(), ['mail', '--data', data])).out).toHaveLength(1)
  })

  it('and told again goes at once', async () => {
    const { server, mx } = await serve(folder())
    const client = await inContent(mx)
    server.child.kill('SIGTERM')
    await server.logged('stopping')
    expect(await server.stop('SIGTERM')).toEqual({ code: 143, signal: null })
    client.close()
  })

  it('has nothing to say to a reader that has gone', async () => {
    const { server, mx } = await serve(folder())
    server.child.stdout!.destroy()
    for (let count = 0; count < 3; count++) {
      const client = await inContent(mx)
      expect((await client.say('\r\nx\r\n.'))[0]).toMatch(/^250 /)
      client.close()
    }
    expect(await server.stop()).toEqual({ code: 0, signal: null })
  })
})

describe('posthorn', () => {
  it.each<[string, readonly string[], Record<string, string>, number, RegExp]>([
    ['without a command', [], {}, 2, /^Usage: posthorn /],
    ['with an unknown command', ['sevre'], {}, 2, /unknown command 'sevre'\n\(Did you mean serve\?\)/],
    ['with an unknown option', ['mail', '--dta', 'x'], {}, 2, /unknown option '--dta'/],
    ['with an unknown variable', ['serve'], { POSTHORN_MXPORT: '25' }, 2, /^posthorn: POSTHORN_MXPORT: there is no /],
    ['with a file that is not there', ['serve', '--config', 'no.json'], {}, 2, /^posthorn: no\.json cannot be read: there /],
    ['in a folder without mail', ['mail', '--data', 'nowhere'], {}, 2, /^posthorn: nowhere holds no mail to be read/],
    ['on an address of another machine', ['serve'], { POSTHORN_BIND: '192.0.2.1' }, 2, /^posthorn: port 0 of 192\.0\.2\.1 /],
  ])('%s says what is wrong', async (_, given, settings, code, says) => {
    const ran = await command(main(), given, { POSTHORN_DATA: folder(), POSTHORN_MX_PORT: 'auto', ...settings })
    expect(ran).toMatchObject({ code, out: [] })
    expect(ran.error).toMatch(says)
  })

  it('names the file that is no JSON', async () => {
    const config = join(folder(), 'bad.json')
    writeFileSync(config, '{ "hostname": }')
    const { code, error } = await command(main(), ['serve', '--config', config])
    expect(code).toBe(2)
    expect(error).toContain(`${config} cannot be read: it is no JSON`)
  })

  it('says who has the port', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as { port: number }
    const { code, error } = await command(main(), ['serve'], { POSTHORN_DATA: folder(), POSTHORN_MX_PORT: String(port) })
    expect(code).toBe(2)
    expect(error).toContain(`port ${port} of 127.0.0.1 is in use`)
    taken.close()
  })

  it.each([
    [['--help'], /Commands:\n {2}serve/],
    [['serve', '--help'], /POSTHORN_MX_PORT/],
    [['--version'], /^0\.1\.0$/],
  ])('%s', async (given, says) => {
    const { code, out, error } = await command(main(), given)
    expect({ code, error }).toEqual({ code: 0, error: '' })
    expect(out.join('\n')).toMatch(says)
  })
})
