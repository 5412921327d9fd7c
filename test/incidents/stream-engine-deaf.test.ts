// Every upload, event stream and WebSocket hung: with `ejectPlugins` http-proxy-middleware also drops the plugin that
// heeds `on`, so no answer was ever passed on, and a node that failed a stream ended the process by an unheard 'error'.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream, rawUpstream } from '../support/upstream.ts'

it('a stream is answered, and one that its node resets does no harm', async () => {
  await using node = await httpUpstream((request, response) => {
    request.resume().on('end', () => response.end('taken'))
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const answer = await fetch(edge.url, { method: 'POST', body: 'x'.repeat(100_000) })
  expect(await answer.text()).toBe('taken')
  await using resetting = await rawUpstream((socket) => socket.once('data', () => socket.resetAndDestroy()))
  await using other = await startTestGateway([{ code: '610100', nodes: { 'xian-1': resetting.url } }])
  expect((await fetch(other.url, { headers: { accept: 'text/event-stream' } })).status).toBe(503)
})
