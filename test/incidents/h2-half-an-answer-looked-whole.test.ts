// When a node died in the middle of a long answer, HTTP/2 residents got RST_STREAM with NO_ERROR, which clients take for
// the answer's end: half a list of test results looked like all of them.
import { expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { connectH2, request } from '../support/h2-client.ts'
import { selfSigned } from '../support/self-signed.ts'
import { httpUpstream } from '../support/upstream.ts'

it.each(['*/*', 'text/event-stream'])(
  'an answer for %s that broke off does not look whole',
  async (accept) => {
    await using files = await selfSigned()
    await using node = await httpUpstream((_request, response) => {
      response.write('x'.repeat(400_000), () => setTimeout(() => response.destroy(), 20))
    })
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      public: { port: 0, tls: { certFile: files.certFile, keyFile: files.keyFile } },
    })
    using h2 = connectH2(edge.port)
    const answer = await request(h2.session, { ':path': '/', accept })
    expect([answer.status, answer.whole, answer.resetCode]).toEqual([200, false, 2])
    const cut = 'home="610100",level="local",region="610100",outcome="cut"'
    await eventually(async () => expect(await edge.metric('chiyuan_requests_total', cut)).toBe(1))
  },
)
