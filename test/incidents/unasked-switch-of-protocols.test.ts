// A node that answered an event stream's request with 101 left the request without an answer for ever: Node's client
// ends the connection without an error, and nothing else was waited for.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { wireUpstream } from '../support/wire.ts'

it('an unasked 101 counts as a broken connection', async () => {
  await using node = await wireUpstream(
    () => 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  )
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const answer = await fetch(edge.url, { headers: { accept: 'text/event-stream' } })
  expect(answer.status).toBe(503)
  expect(await edge.metric('chiyuan_attempts_total', 'node="xian-1",outcome="reset"')).toBe(1)
  expect(await edge.metric('chiyuan_streams')).toBe(0)
})
