// A code that was withdrawn, or a credential that was, was shown again as last good once the nodes were down: what was
// kept stood until it was replaced by another 200, whatever the node had said in between.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream } from '../support/upstream.ts'

it.each([
  { name: '401', status: 401, headers: {}, length: 1 },
  { name: '404', status: 404, headers: {}, length: 1 },
  { name: '302', status: 302, headers: { location: '/login' }, length: 1 },
  { name: 'a 200 that may not be kept', status: 200, headers: { 'cache-control': 'no-store' }, length: 1 },
  { name: 'a 200 too long to keep', status: 200, headers: {}, length: 20_000 },
  { name: 'a 200 too long to hold', status: 200, headers: {}, length: 300_000 },
])('$name ends what was good before', async ({ status, headers, length }) => {
  let down = false
  let first = true
  await using node = await httpUpstream((_request, response) => {
    if (down) response.destroy()
    else if (first) response.end('green')
    else response.writeHead(status, headers).end('x'.repeat(length))
    first = false
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    classes: { critical: { lastGood: true } },
  })
  const code = () => fetch(`${edge.url}/v1/codes/R1`, { redirect: 'manual' })
  expect(await (await code()).text()).toBe('green')
  const refused = await code()
  expect([refused.status, (await refused.text()).length]).toEqual([status, length])
  down = true
  expect((await code()).status).toBe(503)
})
