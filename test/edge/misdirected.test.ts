// A node that says 421 is not to answer for that home, and has done nothing: another one is asked, and nobody is blamed.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream, named, type Upstream } from '../support/upstream.ts'

const two = (first: Upstream, second: Upstream) => [
  { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': first.url } },
  { code: '610400', nodes: { 'xianyang-1': second.url } },
]

const follower = (): Promise<Upstream> =>
  httpUpstream((request, response) => {
    request.resume()
    response.writeHead(421, { 'content-type': 'application/problem+json' }).end('{"title":"not here"}')
  })

it.each([
  { name: 'a GET', init: {} },
  { name: 'a POST without an Idempotency-Key', init: { method: 'POST', body: 'x'.repeat(1000) } },
])('$name goes on to another node, whole, and costs nothing of the retry budget', async ({ init }) => {
  await using first = await follower()
  const bodies: number[] = []
  await using second = await httpUpstream((request, response) => {
    let size = 0
    request.on('data', (chunk: Buffer) => (size += chunk.length))
    request.on('end', () => {
      bodies.push(size)
      response.end('neighbour')
    })
  })
  const nothingLeft = { attempts: { retryBudget: 0, retryFloorPerSecond: 0 } }
  await using edge = await startTestGateway(two(first, second), nothingLeft)
  for (let i = 0; i < 40; i += 1) {
    const answer = await fetch(`${edge.url}/v1/x`, init)
    expect([answer.status, await answer.text()]).toEqual([200, 'neighbour'])
  }
  expect(new Set(bodies)).toEqual(new Set([init.body?.length ?? 0]))
  // It was not taken for broken or full: it is asked first to the end.
  expect(first.requests).toBe(40)
})

it('said by all, it is the gateway’s own 503, with Retry-After', async () => {
  await using first = await follower()
  await using second = await follower()
  await using edge = await startTestGateway(two(first, second))
  const answer = await fetch(`${edge.url}/v1/x`, { method: 'POST', body: 'x' })
  expect(answer.status).toBe(503)
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await answer.text()).not.toContain('not here')
})

it('a failure beside it stays one: what a POST may have done elsewhere is not done again', async () => {
  await using first = await follower()
  await using second = await httpUpstream((request) => void request.socket.destroy())
  await using third = await httpUpstream(named('province'))
  await using edge = await startTestGateway([
    ...two(first, second),
    { code: '610000', tier: 'province', nodes: { 'shaanxi-1': third.url } },
  ])
  const answer = await fetch(`${edge.url}/v1/x`, { method: 'POST', body: 'x' })
  expect([answer.status, third.requests]).toEqual([502, 0])
})
