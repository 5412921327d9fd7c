// Node's HTTP/2 throws at a second line of some headers. A node and its own proxy that both said
// `X-Content-Type-Options: nosniff` left residents over HTTP/2 without any answer, since the refusal that should have taken
// its place threw at the same headers; streams blamed the node, until its breaker shut it for everybody.
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { connectH2, request } from '../support/h2-client.ts'
import { selfSigned } from '../support/self-signed.ts'
import { rawUpstream, type Upstream } from '../support/upstream.ts'

let files: Awaited<ReturnType<typeof selfSigned>>
let node: Upstream
let edge: TestGateway

beforeAll(async () => {
  files = await selfSigned()
  node = await rawUpstream((socket) =>
    socket.on('data', () =>
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Content-Type-Options: nosniff\r\n' +
          'X-Content-Type-Options: nosniff\r\nETag: "a"\r\nETag: "b"\r\nHTTP2-Settings: AAM\r\n' +
          'Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 4\r\n\r\nbody',
      ),
    ),
  )
  edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    public: { port: 0, tls: { certFile: files.certFile, keyFile: files.keyFile } },
  })
})
afterAll(async () => {
  await edge.close()
  await node.close()
  await files[Symbol.asyncDispose]()
})

it.each([
  { name: 'a GET', headers: { ':path': '/' } },
  { name: 'an event stream', headers: { ':path': '/', accept: 'text/event-stream' } },
])('$name is answered, repeats in one line, cookies in two', async ({ headers }) => {
  using h2 = connectH2(edge.port)
  const answer = await request(h2.session, headers)
  expect([answer.status, answer.body.toString(), answer.whole]).toEqual([200, 'body', true])
  expect(answer.headers).toMatchObject({
    'x-content-type-options': 'nosniff',
    etag: '"a", "b"',
    'set-cookie': ['a=1', 'b=2'],
  })
  expect(answer.headers).not.toHaveProperty('http2-settings')
})
