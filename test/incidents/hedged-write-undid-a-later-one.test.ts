// A PUT that was slow at one node was hedged to another, which answered; then the resident sent a newer one, and when that
// was stored the first node came round to the old one. Only what changes nothing is sent twice while nothing has failed.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { gatedNode } from '../support/gated-node.ts'
import { startTestGateway } from '../support/gateway.ts'

it.each([
  { name: 'PUT', init: { method: 'PUT', body: 'v1' } },
  { name: 'DELETE', init: { method: 'DELETE' } },
  {
    name: 'POST with an Idempotency-Key',
    init: { method: 'POST', body: 'v1', headers: { 'idempotency-key': 'k' } },
  },
])('a slow $name is not hedged', async ({ init }) => {
  const local = await gatedNode()
  const neighbour = await gatedNode()
  await using localNode = local.node
  await using neighbourNode = neighbour.node
  await using edge = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': localNode.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbourNode.url } },
    ],
    { hedging: { enabled: true, minDelayMs: 5, maxDelayMs: 20 } },
  )
  const write = fetch(edge.url, init)
  await local.holds(1)
  // Many times the longest delay of a hedge.
  await sleep(200)
  expect(neighbourNode.requests).toBe(0)
  const read = fetch(edge.url)
  await neighbour.holds(1)
  neighbour.answer(({ response }) => response.end('read'))
  expect(await (await read).text()).toBe('read')
  local.answer(({ response }) => response.end('written'))
  expect(await (await write).text()).toBe('written')
})
