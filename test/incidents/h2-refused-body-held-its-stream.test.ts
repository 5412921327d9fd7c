// Over HTTP/2 a refused upload stayed open after its answer: the rest of the body was neither read nor declined, and
// 128 of them used up a connection.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { answerOf, connectH2, request } from '../support/h2-client.ts'
import { selfSigned } from '../support/self-signed.ts'
import { httpUpstream, named } from '../support/upstream.ts'

it('more slow uploads than a connection has streams, then a request', async () => {
  await using files = await selfSigned()
  await using node = await httpUpstream(named('ok'))
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    public: { port: 0, tls: { certFile: files.certFile, keyFile: files.keyFile } },
    limits: { bodyTimeoutMs: 100 },
  })
  using h2 = connectH2(edge.port)
  const statuses = await Promise.all(
    Array.from({ length: 150 }, async () => {
      const upload = h2.session.request({ ':path': '/', ':method': 'POST' }, { endStream: false })
      upload.write('abc')
      return (await answerOf(upload)).status
    }),
  )
  expect(new Set(statuses)).toEqual(new Set([408]))
  expect((await request(h2.session, { ':path': '/' })).body.toString()).toBe('ok')
})
