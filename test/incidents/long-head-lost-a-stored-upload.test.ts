// Heads of up to 64 KiB were taken from nodes, but by streams only up to Node's 16 KiB: an upload whose answer had a longer
// one was a 502 to the resident, though the node had stored it.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { rawUpstream } from '../support/upstream.ts'

it.each([
  { name: 'a GET', request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'an event stream', request: 'GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n' },
  {
    name: 'an upload',
    request: `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 80000\r\n\r\n${'u'.repeat(80_000)}`,
  },
])('$name may be answered with a head of 50 kB in 2,500 lines', async ({ request }) => {
  const lines = Array.from({ length: 2500 }, (_, i) => `X-${String(i).padStart(4, '0')}: 123456789\r\n`).join(
    '',
  )
  await using node = await rawUpstream((socket) => {
    let size = 0
    socket.on('data', (part) => {
      size += part.length
      if (request.startsWith('PUT') && size < 80_000) return
      socket.write(`HTTP/1.1 200 OK\r\n${lines}Content-Length: 4\r\n\r\nbody`)
    })
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const { text } = await sendRaw(edge.port, request, { until: 'body' })
  expect([statusOf(text), text.includes('X-2499: 123456789')]).toEqual([200, true])
})
