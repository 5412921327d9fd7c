// Requests sent ahead of their answers to an Express application that mounts the gateway.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import express from 'express'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { httpUpstream, type Upstream } from '../support/upstream.ts'

const paths: string[] = []
let node: Upstream
let gateway: TestGateway
const app = express()
const server = createServer({ requireHostHeader: false }, app)
let port = 0

beforeAll(async () => {
  node = await httpUpstream((request, response) => {
    paths.push(request.url ?? '')
    setTimeout(() => response.end(`[${request.url}]`), request.url === '/slow' ? 80 : 0)
  })
  gateway = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  app.use(gateway.gateway.edge.middleware)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
  // A warm connection to the node, so that what is wrongly sent on arrives.
  await (await fetch(`http://127.0.0.1:${port}/warm-up`)).text()
})

beforeEach(() => {
  paths.length = 0
})

afterAll(async () => {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
  await gateway.close()
  await node.close()
})

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
const refused = get('/', 'Host: b\r\n')
const statuses = (text: string): string[] => text.match(/(?<=HTTP\/1\.1 )\d{3}/g) ?? []

describe('pipelined to an application', () => {
  it('answers come in the order of their requests', async () => {
    const { text } = await sendRaw(port, get('/slow') + get('/b') + get('/c', 'Connection: close\r\n'))
    expect(text.match(/\[[^\]]*\]/g)).toEqual(['[/slow]', '[/b]', '[/c]'])
    expect(statuses(text)).toEqual(['200', '200', '200'])
  })

  it('a refusal comes after the answers ahead of it, and ends the connection', async () => {
    const { text, closed } = await sendRaw(port, get('/slow') + get('/b') + refused)
    expect(text.match(/\[[^\]]*\]/g)).toEqual(['[/slow]', '[/b]'])
    expect([statuses(text), closed]).toEqual([['200', '200', '400'], true])
  })

  it('nothing behind a refusal is served', async () => {
    const { text, closed } = await sendRaw(port, refused + get('/smuggled') + get('/too'))
    expect([statuses(text), closed]).toEqual([['400'], true])
    expect(paths).toEqual([])
  })

  it('nothing behind a refusal is served, though answers ahead of it are still out', async () => {
    const { text, closed } = await sendRaw(port, get('/slow') + refused + get('/smuggled'))
    expect([statuses(text), closed]).toEqual([['200', '400'], true])
    expect(paths).toEqual(['/slow'])
  })
})
