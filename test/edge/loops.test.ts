// Gateways that send to each other end in one clear refusal, not in a storm.
import { expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { httpUpstream, named } from '../support/upstream.ts'

/** Two gateways, each the other's only node. */
async function pair(ids: [string, string]): Promise<{ a: TestGateway; b: TestGateway }> {
  // The first is told the second's port by a reload: neither port is known before both listen.
  const placeholder = await httpUpstream(named('placeholder'))
  const quiet = { health: { intervalMs: 60_000, fastIntervalMs: 60_000, downIntervalMs: 60_000 } }
  const a = await startTestGateway([{ code: '610100', nodes: { 'to-b': placeholder.url } }], {
    gatewayId: ids[0],
    ...quiet,
  })
  const b = await startTestGateway([{ code: '610100', nodes: { 'to-a': a.url } }], {
    gatewayId: ids[1],
    ...quiet,
  })
  const [region] = a.config.regions
  if (region === undefined) throw new Error('the test has no region')
  const node = { id: 'to-b-now', url: b.url, weight: 1 }
  a.gateway.reload({ ...a.config, regions: [{ ...region, nodes: [node] }] })
  await placeholder.close()
  return { a, b }
}

it.each([
  { name: 'of different names', ids: ['gw-a', 'gw-b'] satisfies [string, string], passes: 2 },
  { name: 'of one name', ids: ['gw', 'gw'] satisfies [string, string], passes: 1 },
])('two gateways $name that point at each other answer 508', async ({ ids, passes }) => {
  const { a, b } = await pair(ids)
  try {
    for (let i = 0; i < 10; i++) {
      const response = await fetch(`${a.url}/v1/codes/R${i}`)
      // After some of them the breaker opens: then the request does not even go round once.
      expect(response.status === 508 || (i > 4 && response.status === 503)).toBe(true)
      expect(await response.text()).not.toMatch(/127\.0\.0\.1|gw-/)
    }
    const refused =
      (await a.metric('chiyuan_refusals_total', 'reason="loop"')) +
      (await b.metric('chiyuan_refusals_total', 'reason="loop"'))
    // One refusal a request, and room for a hedge or two and for probes.
    expect(refused).toBeGreaterThanOrEqual(5)
    expect(refused).toBeLessThanOrEqual(16)
    const sent = await a.metric('chiyuan_attempts_started_total', 'node="to-b-now",kind="first"')
    expect(sent).toBeLessThanOrEqual(10 * passes + 6)
  } finally {
    await a.close()
    await b.close()
  }
})

it('a gateway before another adds itself, and the request arrives', async () => {
  const seen: unknown[] = []
  await using node = await httpUpstream((request, response) => {
    seen.push(request.headers['cdn-loop'], request.headers.via)
    response.end('ok')
  })
  await using inner = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    gatewayId: 'inner',
  })
  await using outer = await startTestGateway([{ code: '610100', nodes: { inner: inner.url } }], {
    gatewayId: 'outer',
  })
  expect(await (await fetch(outer.url)).text()).toBe('ok')
  expect(seen).toEqual(['outer, inner', '1.1 outer, 1.1 inner'])
})
