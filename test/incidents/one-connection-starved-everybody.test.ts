// All that one connection had pipelined was served at once: 320 kB over a single connection took every place of the city's
// nodes, and other residents got 503. Everybody else serves an HTTP/1.1 connection one request after the other.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { httpUpstream } from '../support/upstream.ts'

it('pipelined requests are served in turn, all of them, and no more are read than a few packets hold', async () => {
  let open = 0
  let most = 0
  await using node = await httpUpstream((request, response) => {
    open += 1
    most = Math.max(most, open)
    setImmediate(() => {
      open -= 1
      response.end(`<${request.url}>`)
    })
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const one = (i: number): string => `GET /${i} HTTP/1.1\r\nHost: a\r\nX-Padding: ${'p'.repeat(200)}\r\n\r\n`
  const all = Array.from({ length: 1500 }, (_, i) => one(i)).join('')
  const { text } = await sendRaw(edge.port, all, { until: '</1499>', withinMs: 20_000 })
  const answered = [...text.matchAll(/<\/(\d+)>/g)].map(([, number]) => Number(number))
  expect(answered).toEqual(Array.from({ length: 1500 }, (_, i) => i))
  expect(most).toBe(1)
})
