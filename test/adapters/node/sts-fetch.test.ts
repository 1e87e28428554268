import type { RequestListener } from 'node:http'
import { describe, expect, it } from 'vitest'
import { isPublicAddress } from '../../../src/adapters/node/addresses.ts'
import { stsFetch, type StsFetchOptions } from '../../../src/adapters/node/index.ts'
import { TlsFailure } from '../../../src/protocol/session/dial.ts'
import { authority, httpsServer, resolver } from './https-server.ts'
import { issue, type Issued } from './issue.ts'

const good = issue({ subject: 'a', dns: ['mta-sts.a.test'], issuer: authority })

const policy: RequestListener = (_, response) =>
  response.setHeader('content-type', 'text/plain; charset=utf-8').end('version: STSv1\n')

/** A server, and a fetch by which it can be reached. */
async function serving(
  listener: RequestListener, options: Partial<StsFetchOptions> = {}, pair: Issued = good,
): Promise<(domain: string) => Promise<string>> {
  const port = await httpsServer(listener, pair)
  return stsFetch({ resolver, port, allowPrivate: true, ca: [authority.cert], ...options })
}

describe('stsFetch', () => {
  it('fetches the text from its well-known place', async () => {
    const seen: (string | undefined)[] = []
    const fetch = await serving((request, response) => {
      seen.push(request.method, request.url, request.headers.host)
      policy(request, response)
    })
    expect(await fetch('a.test')).toBe('version: STSv1\n')
    expect(seen).toEqual(['GET', '/.well-known/mta-sts.txt', 'mta-sts.a.test'])
  })

  it.each<readonly [string, RequestListener]>([
    ['a redirect', (_, response) => response.writeHead(301, { location: 'https://mta-sts.a.test/' }).end()],
    ['what is not there', (_, response) => response.writeHead(404).end()],
    ['an answer without content', (_, response) => response.writeHead(204).end()],
    ['another type', (_, response) => response.setHeader('content-type', 'text/html').end('version: STSv1')],
    ['no type', (_, response) => response.end('version: STSv1')],
    ['too much', (_, response) => response.setHeader('content-type', 'text/plain').end('x'.repeat(70_000))],
    ['an end without end', (_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' }).write('x'.repeat(100))
      const more = (): void => {
        if (response.write('x'.repeat(10_000))) setImmediate(more)
        else response.once('drain', more)
      }
      response.on('error', () => undefined)
      more()
    }],
    ['a connection that breaks', (request) => request.socket.destroy()],
    ['half an answer', (request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '100' })
      response.write('x', () => request.socket.destroy())
    }],
  ])('takes no %s', async (_, listener) => {
    const fetch = await serving(listener)
    await expect(fetch('a.test')).rejects.toMatchObject({ code: 'temporary' })
  })

  it('gives up on a server that is silent', async () => {
    const fetch = await serving(() => undefined, { timeout: 100 })
    await expect(fetch('a.test')).rejects.toThrow(/no answer within 100 ms/)
  })

  it.each<readonly [string, string, Issued, string]>([
    ['another name', 'b.test', good, 'certificate-host-mismatch'],
    ['an authority that nobody knows', 'a.test', issue({ subject: 'a', dns: ['mta-sts.a.test'] }), 'certificate-not-trusted'],
    ['times long past', 'a.test', issue({
      subject: 'a', dns: ['mta-sts.a.test'], issuer: authority, expires: Date.UTC(2021, 0),
    }), 'certificate-expired'],
  ])('asks nothing of a server with a certificate of %s', async (_, domain, pair, reason) => {
    let asked = 0
    const fetch = await serving(() => void asked++, {}, pair)
    const failure = await fetch(domain).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(TlsFailure)
    expect(failure).toMatchObject({ reason })
    expect(asked).toBe(0)
  })

  it('goes to no address that is not public', async () => {
    let asked = 0
    const fetch = await serving(() => void asked++, { allowPrivate: false })
    await expect(fetch('a.test')).rejects.toMatchObject({ code: 'temporary' })
    await expect(fetch('nowhere.test')).rejects.toMatchObject({ code: 'temporary' })
    expect(asked).toBe(0)
  })
})

it.each([
  ['8.8.8.8', true], ['2606:4700::1', true],
  ['127.0.0.1', false], ['10.1.2.3', false], ['172.16.0.1', false], ['192.168.1.1', false], ['169.254.169.254', false],
  ['100.64.0.1', false], ['0.0.0.0', false], ['224.0.0.1', false], ['255.255.255.255', false], ['::1', false], ['::', false],
  ['fc00::1', false], ['fe80::1', false], ['ff02::1', false], ['::ffff:10.0.0.1', false], ['::ffff:a00:1', false],
  ['64:ff9b::a00:1', false], ['2002:a00:1::', false], ['x', false], ['', false],
])('isPublicAddress: %s: %s', (address, is) => {
  expect(isPublicAddress(address)).toBe(is)
})
