// An answer too long to be held was counted as `ok` whatever its status: three 500s of 300 kB looked like three residents
// served.
import { expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream } from '../support/upstream.ts'

it('a 500 that is passed on in parts is the node’s error', async () => {
  await using node = await httpUpstream((_request, response) =>
    response.writeHead(500).end('x'.repeat(400_000)),
  )
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  expect((await (await fetch(edge.url)).text()).length).toBe(400_000)
  const outcome = (name: string) => `home="610100",level="local",region="610100",outcome="${name}"`
  await eventually(async () =>
    expect(await edge.metric('chiyuan_requests_total', outcome('upstream-error'))).toBe(1),
  )
  expect(await edge.metric('chiyuan_requests_total', outcome('ok'))).toBe(0)
})
