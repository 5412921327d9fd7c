// `GET //` with `Accept: text/event-stream` was never answered and never let go: http-proxy-middleware reads the target
// as a URL, `//` is none, and it declined without a word. Four thousand such requests would have used up all streams.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { httpUpstream } from '../support/upstream.ts'

it.each(['//', '///', '//:', '//[', '/\\'])('a stream of %s is answered', async (target) => {
  await using node = await httpUpstream((request, response) => response.end(`<${request.url}>`))
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const request = `GET ${target} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n`
  const { text } = await sendRaw(edge.port, request)
  expect(statusOf(text)).toBe(200)
  expect(text).toContain(`<${target}>`)
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n'
  const declined = await sendRaw(edge.port, `GET ${target} HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`)
  expect(declined.text).toContain(`<${target}>`)
  expect(await edge.metric('chiyuan_streams')).toBe(0)
})
