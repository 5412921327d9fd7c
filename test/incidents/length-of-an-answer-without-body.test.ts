// A node's Content-Length on a 204 was passed on, which RFC 9110 section 8.6 forbids: over HTTP/2 one above 0 ended the
// stream as a protocol error.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { rawUpstream } from '../support/upstream.ts'

it.each([
  { name: 'HEAD', request: 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'GET', request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'an event stream', request: 'GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n' },
])('a 204 to $name tells no length', async ({ request }) => {
  await using node = await rawUpstream((socket) =>
    socket.on('data', () =>
      socket.write('HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nX-End: yes\r\n\r\n'),
    ),
  )
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const { text } = await sendRaw(edge.port, request, { until: '\r\n\r\n' })
  expect([statusOf(text), /content-length/i.test(text)]).toEqual([204, false])
})
