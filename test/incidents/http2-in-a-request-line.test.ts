// Node's parser takes `GET / HTTP/2.0` on a plain connection, and the gateway took every version above 1 for real
// HTTP/2: such a request was served, its refusals kept the connection open, and it needed no Host.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { httpUpstream, named } from '../support/upstream.ts'

it.each(['HTTP/2.0', 'HTTP/2', 'HTTP/3.0'])('%s in a request line is refused', async (version) => {
  await using node = await httpUpstream(named('ok'))
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const { text, closed } = await sendRaw(edge.port, `GET / ${version}\r\nHost: a\r\n\r\n`, { withinMs: 2000 })
  expect([statusOf(text), closed, node.requests]).toEqual([400, true, 0])
})
