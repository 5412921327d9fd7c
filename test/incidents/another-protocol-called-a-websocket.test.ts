// A node that answered a WebSocket's upgrade with `101` to another protocol, such as h2c, had its header written over: the
// client was told `Upgrade: websocket` and got bytes of something else.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { rawUpstream } from '../support/upstream.ts'

const upgrade =
  'GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

it.each(['Upgrade: h2c\r\n', ''])('a 101 with "%s" is a failed upgrade', async (header) => {
  await using node = await rawUpstream((socket) =>
    socket.once('data', () =>
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n${header}\r\nPRI * HTTP/2.0`),
    ),
  )
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    health: { intervalMs: 60_000, fastIntervalMs: 60_000 },
  })
  const { text, closed } = await sendRaw(edge.port, upgrade)
  expect([statusOf(text), closed, text.includes('PRI *'), text.includes('101')]).toEqual([
    502,
    true,
    false,
    false,
  ])
  expect(await edge.metric('chiyuan_internal_errors_total')).toBe(0)
})
