// undici reads a reason phrase as UTF-8 and Node refuses what is not Latin-1: `HTTP/1.1 200 成功` of a healthy node became
// a 503 to every resident. RFC 9112 section 4 allows the bytes, and tells everybody to ignore them.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { rawUpstream } from '../support/upstream.ts'

const bytes = (text: string): string => Buffer.from(text).toString('latin1')

it.each([
  { name: 'UTF-8', line: bytes('200 成功'), told: bytes('200 成功') },
  { name: 'Latin-1', line: '200 tr\xe8s bien', told: '200 OK' },
  { name: 'nothing', line: '200 ', told: '200 ' },
])('a phrase in $name goes with its answer', async ({ line, told }) => {
  await using node = await rawUpstream((socket) =>
    socket.on('data', () =>
      socket.write(Buffer.from(`HTTP/1.1 ${line}\r\nContent-Length: 4\r\n\r\nbody`, 'latin1')),
    ),
  )
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const { text } = await sendRaw(edge.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', { until: 'body' })
  expect(text.split('\r\n')[0]).toBe(`HTTP/1.1 ${told}`)
})
