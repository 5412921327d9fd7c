// A node that refused an upload before it had read it all was told `Connection: close`, so it closed at once, and the
// reset took its answer along: the resident got a 502 that says "check whether it took effect".
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream } from '../support/upstream.ts'

it('a node’s early answer arrives', async () => {
  await using node = await httpUpstream((request, response) => {
    request.once('data', () => response.writeHead(422).end('not like this'))
    request.resume()
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  for (let i = 0; i < 5; i++) {
    const answer = await fetch(edge.url, { method: 'POST', body: 'x'.repeat(3_000_000) })
    expect([answer.status, await answer.text()]).toEqual([422, 'not like this'])
  }
})
