import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { gzipped, tlsReportPost } from '../../../src/adapters/node/index.ts'
import { authority, httpsServer, resolver } from './https-server.ts'
import { issue } from './issue.ts'

const pair = issue({ subject: 'r', dns: ['reports.a.test'], issuer: authority })

describe('tlsReportPost', () => {
  it('posts what is compressed', async () => {
    const came: unknown[] = []
    const port = await httpsServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
        came.push(request.method, request.url, request.headers['content-type'], gunzipSync(Buffer.concat(chunks)).toString())
        response.writeHead(201).end()
      })
    }, pair)
    const post = tlsReportPost({ resolver, allowPrivate: true, ca: [authority.cert] })
    await post({ host: 'reports.a.test', port, path: '/v1?x=y' }, await gzipped(Buffer.from('{}')))
    expect(came).toEqual(['POST', '/v1?x=y', 'application/tlsrpt+gzip', '{}'])
  })

  it.each([301, 400, 500])('is told of %i', async (status) => {
    const port = await httpsServer((_, response) => response.writeHead(status).end(), pair)
    const post = tlsReportPost({ resolver, allowPrivate: true, ca: [authority.cert] })
    const posted = post({ host: 'reports.a.test', port, path: '/' }, new Uint8Array(9))
    await expect(posted).rejects.toMatchObject({ code: 'temporary' })
  })

  it('goes to no address that is not public', async () => {
    let asked = 0
    const port = await httpsServer(() => void asked++, pair)
    const post = tlsReportPost({ resolver, ca: [authority.cert] })
    const posted = post({ host: 'reports.a.test', port, path: '/' }, new Uint8Array(9))
    await expect(posted).rejects.toMatchObject({ code: 'temporary' })
    expect(asked).toBe(0)
  })
})
