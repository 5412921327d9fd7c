// The gateway as middleware in somebody's Express application: `app.use(gateway.edge.middleware)`.
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import express from 'express'
import supertest from 'supertest'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { httpUpstream, type Upstream } from '../support/upstream.ts'

let node: Upstream
let gateway: TestGateway
const app = express()
const server = createServer(app)
let port = 0

beforeAll(async () => {
  node = await httpUpstream((request, response) => {
    let size = 0
    request.on('data', (part: Buffer) => (size += part.length))
    request.on('end', () => {
      response.setHeader('X-MixedCase', 'kept')
      response.end(`${request.method} ${request.url} ${size}`)
    })
  })
  gateway = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  app.disable('x-powered-by')
  app.get('/own', (_request, response) => {
    response.send('of the application')
  })
  app.use('/codes', gateway.gateway.edge.middleware)
  app.use(gateway.gateway.edge.middleware)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
})

afterAll(async () => {
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
  await gateway.close()
  await node.close()
})

describe('mounted in Express', () => {
  it('the application keeps its own routes, and the rest goes to the federation', async () => {
    expect((await supertest(server).get('/own')).text).toBe('of the application')
    const answer = await supertest(server).get('/v1/codes/R1?a=b')
    expect([answer.status, answer.text]).toEqual([200, 'GET /v1/codes/R1?a=b 0'])
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/)
    expect(answer.headers['x-powered-by']).toBeUndefined()
  })

  it('below a path it sends on what is left of the path', async () => {
    expect((await supertest(server).get('/codes/R1?a')).text).toBe('GET /R1?a 0')
  })

  it('bodies short and long arrive whole', async () => {
    for (const size of [10, 500_000]) {
      const answer = await supertest(server)
        .post('/up')
        .set('content-type', 'text/plain')
        .send('x'.repeat(size))
      expect([answer.status, answer.text]).toEqual([200, `POST /up ${size}`])
    }
  })

  it('headers keep their case, and refusals are problems', async () => {
    const kept = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', { until: 'GET / 0' })
    expect(kept.text).toContain('X-MixedCase: kept\r\n')
    const two = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')
    expect([statusOf(two.text), two.closed]).toEqual([400, true])
    expect(two.text).toContain('urn:chiyuan:problem:bad-host')
  })
})
