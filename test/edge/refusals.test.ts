// A node that says "full" is believed: others serve its residents, it is asked for less, and it is not called ill.
import { describe, expect, it } from '@jest/globals'
import { ask, region, startCrowd } from '../support/crowd.ts'
import { eventually } from '../support/eventually.ts'
import { httpUpstream, named } from '../support/upstream.ts'

/** A node that refuses whatever `refuses` says it does, and the times of its requests. */
async function refusing(status: number, retryAfter: string | null, refuses: () => boolean = () => true) {
  const at: number[] = []
  const node = await httpUpstream((request, response) => {
    at.push(performance.now())
    request.resume()
    if (!refuses()) {
      response.end('local')
      return
    }
    response.statusCode = status
    if (retryAfter !== null) response.setHeader('retry-after', retryAfter)
    response.end('too many')
  })
  return { node, at, [Symbol.asyncDispose]: () => node.close() }
}

const twoCities = (local: string, neighbour: string, changes: Record<string, unknown> = {}) =>
  startCrowd(
    [
      region('610100', { 'xian-1': local }, { neighbours: ['610400'] }),
      region('610400', { 'xianyang-1': neighbour }),
    ],
    changes,
  )

describe.each([
  { status: 429, retryAfter: null },
  { status: 429, retryAfter: '0' },
  { status: 503, retryAfter: '0' },
])('$status with Retry-After $retryAfter', ({ status, retryAfter }) => {
  it('moves the residents, lowers the limit and leaves the breaker closed', async () => {
    await using local = await refusing(status, retryAfter)
    await using neighbour = await httpUpstream(named('neighbour'))
    await using edge = await twoCities(local.node.url, neighbour.url, { attempts: { retryBudget: 1 } })
    const limit = () => edge.metric('chiyuan_node_limit', 'node="xian-1",region="610100"')
    const before = await limit()
    for (let i = 0; i < 30; i++) {
      expect(await ask(edge, `/v1/codes/R${i}`)).toMatchObject({ status: 200, body: 'neighbour' })
    }
    expect(await limit()).toBeLessThan(before)
    expect(local.at.length).toBeGreaterThan(20)
    expect(await edge.metric('chiyuan_attempts_total', 'node="xian-1",outcome="refused"')).toBe(
      local.at.length,
    )
    expect(await edge.metric('chiyuan_breaker_transitions_total', 'node="xian-1",state="open"')).toBe(0)
  })
})

it('a node that refuses even the fewest is sent nothing until Retry-After has passed', async () => {
  let full = true
  await using local = await refusing(503, '1', () => full)
  await using neighbour = await httpUpstream(named('neighbour'))
  await using edge = await twoCities(local.node.url, neighbour.url)
  for (let i = 0; i < 30; i++) expect((await ask(edge, `/v1/codes/R${i}`)).body).toBe('neighbour')
  expect(local.at).toHaveLength(1)
  full = false
  await eventually(async () => expect((await ask(edge, '/v1/codes/R')).body).toBe('local'), 3000)
  const [refused = 0, again = 0] = local.at
  expect(again - refused).toBeGreaterThanOrEqual(990)
  expect(again - refused).toBeLessThan(2000)
})

it('a 503 without Retry-After is a failure, and opens the breaker', async () => {
  await using local = await refusing(503, null)
  await using neighbour = await httpUpstream(named('neighbour'))
  await using edge = await twoCities(local.node.url, neighbour.url, { attempts: { retryBudget: 1 } })
  for (let i = 0; i < 30; i++) expect((await ask(edge, `/v1/codes/R${i}`)).body).toBe('neighbour')
  expect(await edge.metric('chiyuan_breaker_transitions_total', 'node="xian-1",state="open"')).toBe(1)
  expect(local.at.length).toBeLessThan(15)
})

it('where every node refuses, the resident has the node’s own words', async () => {
  await using local = await refusing(429, '7')
  await using edge = await startCrowd([region('610100', { 'xian-1': local.node.url })])
  const answer = await ask(edge, '/v1/codes/R')
  expect(answer).toMatchObject({ status: 429, body: 'too many' })
  expect(answer.headers.get('retry-after')).toBe('7')
})

it('a POST that a node refused is not repeated without Idempotency-Key, and moved with it', async () => {
  await using local = await refusing(429, '0')
  await using neighbour = await httpUpstream(named('neighbour'))
  await using edge = await twoCities(local.node.url, neighbour.url)
  const post = (headers: Record<string, string>) =>
    fetch(`${edge.url}/v1/verifications`, { method: 'POST', body: 'x', headers })
  const plain = await post({})
  expect([plain.status, await plain.text()]).toEqual([429, 'too many'])
  expect(neighbour.requests).toBe(0)
  const keyed = await post({ 'idempotency-key': 'a-1' })
  expect([keyed.status, await keyed.text()]).toEqual([200, 'neighbour'])
})
