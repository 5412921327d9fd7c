// The stream engine ends a WebSocket's socket right after it has told of an error, and our answer came a moment later: a
// client whose node broke off saw a closed connection instead of a 502.
import type { Socket } from 'node:net'
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { rawUpstream } from '../support/upstream.ts'

const upgrade =
  'GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

type Failure = (socket: Socket) => unknown

it.each<{ name: string; status: number; how: Failure }>([
  { name: 'closes', status: 502, how: (socket) => socket.end() },
  { name: 'resets', status: 502, how: (socket) => socket.resetAndDestroy() },
  { name: 'talks garbage', status: 502, how: (socket) => socket.write('garbage\r\n\r\n') },
  { name: 'says nothing', status: 504, how: () => {} },
])('an upgrade whose node $name is answered', async ({ how, status }) => {
  await using node = await rawUpstream((socket) => socket.once('data', () => how(socket)))
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    attempts: { attemptTimeoutMs: 300 },
    health: { intervalMs: 60_000, fastIntervalMs: 60_000 },
  })
  const { text, closed } = await sendRaw(edge.port, upgrade)
  expect([statusOf(text), closed]).toEqual([status, true])
  expect(text).toContain('Connection: close')
})
