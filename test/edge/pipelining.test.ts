// Requests sent ahead of their answers: each answer whole and in turn, whatever comes behind it.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { httpUpstream, type Upstream } from '../support/upstream.ts'

const large = 'L'.repeat(600_000)
let node: Upstream
let edge: TestGateway
const paths: string[] = []

beforeAll(async () => {
  node = await httpUpstream((request, response) => {
    paths.push(request.url ?? '')
    if (request.url === '/large') response.end(large)
    else setTimeout(() => response.end(`[${request.url}]`), request.url === '/slow' ? 80 : 0)
  })
  edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
})

afterAll(async () => {
  await edge.close()
  await node.close()
})

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
const statuses = (text: string): string[] => text.match(/(?<=HTTP\/1\.1 )\d{3}/g) ?? []

describe('pipelined requests', () => {
  it('are answered in their order, the slow one first', async () => {
    const { text } = await sendRaw(edge.port, get('/slow') + get('/b') + get('/c', 'Connection: close\r\n'))
    expect(statuses(text)).toEqual(['200', '200', '200'])
    expect(text.match(/\[[^\]]*\]/g)).toEqual(['[/slow]', '[/b]', '[/c]'])
  })

  it.each([
    { name: 'one answer', ahead: [get('/slow')], whole: ['[/slow]'] },
    { name: 'two answers', ahead: [get('/slow'), get('/b')], whole: ['[/slow]', '[/b]'] },
  ])('leave $name untouched by the refusal of what comes behind', async ({ ahead, whole }) => {
    const { text, closed } = await sendRaw(edge.port, `${ahead.join('')}GARBAGE\r\n\r\n`)
    expect(text.match(/\[[^\]]*\]/g)).toEqual(whole)
    expect(statuses(text)).toEqual([...whole.map(() => '200'), '400'])
    expect(closed).toBe(true)
  })

  it('leave a large answer whole when garbage comes behind a second request', async () => {
    const { text } = await sendRaw(edge.port, `${get('/large')}${get('/slow')}GARBAGE\r\n\r\n`)
    expect(text).toContain(large)
    expect(statuses(text)).toEqual(['200', '200', '400'])
  })

  it('leave an answer untouched by an unknown expectation, by CONNECT and by an upgrade behind it', async () => {
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n'
    const behind = [
      get('/', 'Expect: miracles\r\n'),
      'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
      get('/ws', upgrade),
    ]
    for (const [i, status] of ['417', '405', '200'].entries()) {
      const { text } = await sendRaw(edge.port, get('/slow') + behind[i], { until: '[/ws]' })
      expect(text.indexOf('[/slow]')).toBeGreaterThan(0)
      expect(text.indexOf(`HTTP/1.1 ${status}`, 20)).toBeGreaterThan(text.indexOf('[/slow]'))
    }
  })

  it('are not served behind a request that said it was the last', async () => {
    paths.length = 0
    const { text } = await sendRaw(edge.port, get('/slow', 'Connection: close\r\n') + get('/hidden'))
    expect(statuses(text)).toEqual(['200'])
    expect(paths).toEqual(['/slow'])
  })
})

it('an upgrade behind a refused request goes nowhere', async () => {
  await (await fetch(`${edge.url}/warm-up`)).text()
  paths.length = 0
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n'
  const { text } = await sendRaw(edge.port, `GET /a HTTP/1.1\r\n\r\n${get('/ws', upgrade)}`)
  expect(statuses(text)).toEqual(['400'])
  expect(paths).toEqual([])
})

it('a request that carries a body is no upgrade, and its body no request', async () => {
  paths.length = 0
  const body = get('/hidden')
  const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nContent-Length: ${body.length}\r\n`
  const { text } = await sendRaw(edge.port, get('/plain', upgrade) + body, { until: '[/plain]' })
  expect(statuses(text)).toEqual(['200'])
  expect(paths).toEqual(['/plain'])
})
