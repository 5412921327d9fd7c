// Where requests go while all is well or merely slow: residents that stay, load that is spread, extras within budgets.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const ask = async (url: string, path: string): Promise<string> => (await fetch(url + path)).text()

it('a resident stays with a node, and two nodes share the residents', async () => {
  await using one = await httpUpstream(named('one'))
  await using two = await httpUpstream(named('two'))
  await using edge = await startTestGateway([
    { code: '610100', nodes: { 'xian-1': one.url, 'xian-2': two.url } },
  ])
  const first = new Map<number, string>()
  for (let i = 0; i < 60; i++) first.set(i, await ask(edge.url, `/v1/codes/R${i}`))
  for (const [i, node] of first) expect(await ask(edge.url, `/v1/codes/R${i}?again`)).toBe(node)
  const share = [...first.values()].filter((node) => node === 'one').length
  expect(share).toBeGreaterThan(15)
  expect(share).toBeLessThan(45)
})

it.each([
  { from: 'a header', resident: { header: 'X-Resident' }, headers: (id: string) => ({ 'x-resident': id }) },
  {
    from: 'a cookie',
    resident: { cookie: 'sid' },
    headers: (id: string) => ({ cookie: `a=1; sid=${id}; b=2` }),
  },
])('a resident known by $from stays with a node', async ({ resident, headers }) => {
  await using one = await httpUpstream(named('one'))
  await using two = await httpUpstream(named('two'))
  await using edge = await startTestGateway(
    [{ code: '610100', nodes: { 'xian-1': one.url, 'xian-2': two.url } }],
    { resident },
  )
  const answers = new Set<string>()
  for (let i = 0; i < 20; i++) {
    const by = { headers: headers(`resident-${i}`) }
    const node = await (await fetch(`${edge.url}/other`, by)).text()
    for (let again = 0; again < 3; again++)
      expect(await (await fetch(`${edge.url}/other`, by)).text()).toBe(node)
    answers.add(node)
  }
  expect([...answers].sort()).toEqual(['one', 'two'])
})

it('least-loaded leaves a slow node alone', async () => {
  await using slow = await httpUpstream(
    (_request, response) => void setTimeout(() => response.end('slow'), 60),
  )
  await using fast = await httpUpstream(named('fast'))
  await using edge = await startTestGateway(
    [{ code: '610100', nodes: { 'xian-1': slow.url, 'xian-2': fast.url } }],
    {
      selection: { rule: 'least-loaded' },
    },
  )
  // A node that was never asked looks free, so each is asked at least once.
  for (let i = 0; i < 60; i++) await ask(edge.url, `/v1/codes/R${i}`)
  expect(slow.requests).toBeLessThan(5)
  expect(fast.requests).toBeGreaterThan(55)
})

it('a node is given no more than its declared limit; the rest goes to the neighbour at once', async () => {
  let open = 0
  let most = 0
  await using small = await httpUpstream((_request, response) => {
    open += 1
    most = Math.max(most, open)
    setTimeout(() => {
      open -= 1
      response.end('local')
    }, 30)
  })
  await using neighbour = await httpUpstream(named('neighbour'))
  await using edge = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': small.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
    ],
    {
      regions: [
        {
          code: '610100',
          name: { zh: 'a', en: 'a' },
          neighbours: ['610400'],
          nodes: [{ id: 'xian-1', url: small.url, limit: 4 }],
        },
        { code: '610400', name: { zh: 'b', en: 'b' }, nodes: [{ id: 'xianyang-1', url: neighbour.url }] },
      ],
    },
  )
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => ask(edge.url, `/v1/codes/R${i}`)))
  expect(most).toBe(4)
  expect(answers.filter((node) => node === 'local').length).toBeGreaterThanOrEqual(4)
  expect(answers.filter((node) => node === 'neighbour').length).toBeGreaterThan(0)
})

it('retries beyond the budget are not made, and are counted as not afforded', async () => {
  await using broken = await httpUpstream((_request, response) => {
    response.statusCode = 500
    response.end('broken')
  })
  await using neighbour = await httpUpstream(named('neighbour'))
  await using edge = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': broken.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
    ],
    { attempts: { retryBudget: 0, retryFloorPerSecond: 0 }, breaker: { volumeThreshold: 1000 } },
  )
  const response = await fetch(`${edge.url}/v1/codes/R1`)
  expect([response.status, await response.text()]).toEqual([500, 'broken'])
  expect(await edge.metric('chiyuan_budget_spent_total', 'budget="retry"')).toBe(1)
  expect(neighbour.requests).toBe(0)
})

it('hedges stay within their budget when every node is slow', async () => {
  const slowly = (name: string) =>
    httpUpstream((_request, response) => void setTimeout(() => response.end(name), 60))
  await using one = await slowly('one')
  await using two = await slowly('two')
  await using edge = await startTestGateway(
    [{ code: '610100', nodes: { 'xian-1': one.url, 'xian-2': two.url } }],
    {
      hedging: { enabled: true, minDelayMs: 1, maxDelayMs: 20, floorPerSecond: 0, budget: 0.1 },
      attempts: { retryBudget: 0, retryFloorPerSecond: 0 },
    },
  )
  for (let batch = 0; batch < 10; batch++) {
    await Promise.all(Array.from({ length: 20 }, (_, i) => ask(edge.url, `/v1/codes/R${batch}-${i}`)))
  }
  const hedged = one.requests + two.requests - 200
  expect(hedged).toBeGreaterThan(0)
  expect(hedged).toBeLessThanOrEqual(20)
})

it('a city of many nodes that all die at once costs no request', async () => {
  const nodes = await Promise.all(Array.from({ length: 20 }, () => httpUpstream(named('local'))))
  await using neighbour = await httpUpstream(named('neighbour'))
  const local = Object.fromEntries(nodes.map((node, i) => [`xian-${i}`, node.url]))
  await using edge = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: local },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
    ],
    // Probes are not to find out before the requests do.
    { health: { intervalMs: 600_000, fastIntervalMs: 600_000, downIntervalMs: 600_000 } },
  )
  expect(await ask(edge.url, '/v1/codes/R0')).toBe('local')
  while ((await edge.metric('chiyuan_node_up', 'node="xian-19",region="610100"')) !== 1);
  await Promise.all(nodes.map((node) => node.close()))
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => ask(edge.url, `/v1/codes/R${i}`)))
  expect(new Set(answers)).toEqual(new Set(['neighbour']))
})
