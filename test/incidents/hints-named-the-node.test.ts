// Interim answers went through untouched: a 103 told residents the node's Server header, and a node's unasked 100 was
// passed to clients that had not asked for it, which fetch takes for a broken answer.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { wireUpstream } from '../support/wire.ts'

it('a hint says nothing but its links, and a 100 stays here', async () => {
  await using node = await wireUpstream(
    () =>
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nServer: xian-1\r\nLink: </a>\r\n\r\n' +
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  )
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const request = 'GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n'
  const { text } = await sendRaw(edge.port, request, { until: '\r\n\r\nok' })
  expect(text).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK\r\n/i)
})
