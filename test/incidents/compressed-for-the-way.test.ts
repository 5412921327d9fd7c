// A node that sent `Transfer-Encoding: gzip, chunked` had its header dropped and its compressed bytes passed on as if they
// were the answer. Nobody may send it unasked (RFC 9112 section 7.4), and we never ask: it is a broken answer.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { named, rawUpstream, httpUpstream } from '../support/upstream.ts'

it.each(['*/*', 'text/event-stream'])('accepting %s, the next node is asked', async (accept) => {
  await using coded = await rawUpstream((socket) =>
    socket.on('data', () =>
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n4\r\nzzzz\r\n0\r\n\r\n'),
    ),
  )
  await using neighbour = await httpUpstream(named('neighbour'))
  await using edge = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': coded.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
    ],
    { health: { intervalMs: 60_000, fastIntervalMs: 60_000 } },
  )
  const answer = await fetch(edge.url, { headers: { accept } })
  expect([answer.status, await answer.text()]).toEqual([200, 'neighbour'])
})
