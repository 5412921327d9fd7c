// A node's own load report bounds what it is sent; one that is wrong in any way counts for nothing and harms nobody.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expect, it } from '@jest/globals'
import { ask, region, startCrowd } from '../support/crowd.ts'
import { eventually } from '../support/eventually.ts'
import { httpUpstream, named } from '../support/upstream.ts'
import { learning } from '../support/values.ts'

type Report = (response: ServerResponse) => void

const stating =
  (text: string): Report =>
  (response) =>
    void response.end(text)

/** A city whose node reports at /load whatever `report` says at that moment, and a neighbour behind it. */
async function city(report: () => Report, serve: (response: ServerResponse) => void) {
  const node = await httpUpstream(
    (request: IncomingMessage, response) => {
      if (request.url === '/healthz') response.end('ok')
      else if (request.url === '/load') report()(response)
      else serve(response)
    },
    { seesProbes: true },
  )
  const neighbour = await httpUpstream(named('neighbour'))
  const edge = await startCrowd(
    [
      region('610100', { 'xian-1': node.url }, { neighbours: ['610400'] }),
      region('610400', { 'xianyang-1': neighbour.url }),
    ],
    {
      concurrency: { loadPath: '/load' },
      health: { intervalMs: 60, fastIntervalMs: 60, timeoutMs: 200 },
      // A node that is only slow to answer a busy machine's test is not to look frozen.
      hedging: { maxDelayMs: 20_000 },
    },
  )
  return {
    edge,
    limit: () => edge.metric('chiyuan_node_limit', 'node="xian-1",region="610100"'),
    up: () => edge.metric('chiyuan_node_up', 'node="xian-1",region="610100"'),
    async [Symbol.asyncDispose]() {
      await edge.close()
      await node.close()
      await neighbour.close()
    },
  }
}

it('the reported limit is kept to, and what is beyond it goes to the neighbour', async () => {
  const held: ServerResponse[] = []
  let limit = 3
  await using small = await city(
    () => stating(JSON.stringify({ limit, inFlight: held.length })),
    (response) => held.push(response),
  )
  await eventually(async () => expect(await small.limit()).toBe(3))
  const answers = Array.from({ length: 10 }, (_, i) => ask(small.edge, `/v1/codes/R${i}`))
  await eventually(() => expect(held).toHaveLength(3))
  expect((await ask(small.edge, '/v1/codes/more')).body).toBe('neighbour')
  limit = 5
  await eventually(async () => expect(await small.limit()).toBe(5))
  answers.push(ask(small.edge, '/v1/codes/a'), ask(small.edge, '/v1/codes/b'))
  await eventually(() => expect(held).toHaveLength(5))
  for (const response of held) response.end('local')
  const names = (await Promise.all(answers)).map(({ body }) => body)
  expect(names.filter((name) => name === 'local')).toHaveLength(5)
})

it('a report can lower what was learnt, never raise it', async () => {
  let text = '{"limit":3}'
  await using one = await city(
    () => stating(text),
    (response) => void response.end('local'),
  )
  await eventually(async () => expect(await one.limit()).toBe(3))
  text = '{"limit":1000000}'
  await eventually(async () => expect(await one.limit()).toBe(learning.initial))
})

it.each<{ name: string; report: Report }>([
  { name: 'a limit of zero', report: stating('{"limit":0}') },
  { name: 'a negative limit', report: stating('{"limit":-5}') },
  { name: 'a fraction', report: stating('{"limit":2.5}') },
  { name: 'a limit beyond all reason', report: stating('{"limit":1e300}') },
  { name: 'a number in words', report: stating('{"limit":"2"}') },
  { name: 'no limit in it', report: stating('{"max":2}') },
  { name: 'null', report: stating('null') },
  { name: 'no JSON', report: stating('<html>2</html>') },
  { name: 'nothing', report: stating('') },
  { name: '10 MB', report: stating(`{"limit":2,"pad":"${'x'.repeat(10_000_000)}"}`) },
  { name: 'no end', report: (response) => void response.write('{"limit":2') },
  { name: 'no answer', report: () => {} },
  { name: 'a broken connection', report: (response) => void response.destroy() },
  { name: '404', report: (response) => void response.writeHead(404).end('{"limit":2}') },
  { name: 'a redirect', report: (response) => void response.writeHead(302, { location: '/' }).end() },
])('$name counts as no report, and the node stays up', async ({ report }) => {
  let now = stating('{"limit":2}')
  let asked = 0
  await using bad = await city(
    () => {
      asked += 1
      return now
    },
    (response) => void response.end('local'),
  )
  await eventually(async () => expect(await bad.limit()).toBe(2))
  now = report
  const before = asked
  // Bounded by what is measured alone: where learning starts.
  await eventually(async () => expect(await bad.limit()).toBe(learning.initial))
  await eventually(() => expect(asked).toBeGreaterThan(before + 2))
  expect(await bad.up()).toBe(1)
  expect((await ask(bad.edge, '/v1/codes/R')).body).toBe('local')
})
