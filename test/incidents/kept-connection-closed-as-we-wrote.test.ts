// A node may close a kept connection just as a request is written to it (RFC 9112 section 9.3.1). The next node was asked;
// but where a level had only one node, and no other level, a healthy node's resident got a 503.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { rawUpstream } from '../support/upstream.ts'

/** Answers the first request of each connection, and closes at the second. */
const closing = () =>
  rawUpstream((socket) => {
    let seen = 0
    socket.on('data', () => {
      seen += 1
      if (seen > 1) socket.destroy()
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody')
    })
  })

it('the only node is asked once more, and never for what may not be repeated', async () => {
  await using node = await closing()
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    health: { intervalMs: 60_000, fastIntervalMs: 60_000 },
    breaker: { volumeThreshold: 1000 },
    // With several kept connections the second try may meet another that closes.
    attempts: { retryFloorPerSecond: 1000, maxConnectionsPerNode: 1 },
  })
  for (let i = 0; i < 20; i++) expect((await fetch(edge.url)).status).toBe(200)
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx'
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) statuses.push(statusOf((await sendRaw(edge.port, post)).text))
  expect(statuses).toContain(502)
})
