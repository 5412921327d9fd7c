// The short wait for room: bounded in time and in number, left by who leaves, and never the price of not knowing.
import { expect, it } from '@jest/globals'
import { type Answer, ask, heldNode, region, startCrowd, waiting } from '../support/crowd.ts'
import { type Waiter, WaitingRoom } from '../../gateway/edge/forward/waiting-room.ts'
import { eventually } from '../support/eventually.ts'
import { aHome, aLevel, aNode } from '../support/values.ts'
import { httpUpstream } from '../support/upstream.ts'

/** A city with one place, which is taken. */
async function takenCity(queue: Record<string, number>, changes: Record<string, unknown> = {}) {
  const local = await heldNode('local')
  const edge = await startCrowd([region('610100', { 'xian-1': { url: local.node.url, limit: 1 } })], {
    queue,
    classes: { deferrable: { routes: [{ path: '/v1/history/**' }] } },
    ...changes,
  })
  const first = ask(edge, '/v1/codes/first')
  await eventually(() => expect(local.open).toBe(1))
  return {
    local,
    edge,
    async [Symbol.asyncDispose]() {
      local.letGo()
      await first
      await edge.close()
      await local.node.close()
    },
  }
}

/** The answer, and after how many ms it came. */
async function timed(answer: Promise<Answer>): Promise<Answer & { afterMs: number }> {
  const startedAt = performance.now()
  return { ...(await answer), afterMs: performance.now() - startedAt }
}

it('who finds no room in queue.maxWaitMs is turned away then, and not before', async () => {
  await using city = await takenCity({ targetWaitMs: 300, maxWaitMs: 300 })
  const { status, afterMs, headers } = await timed(ask(city.edge, '/v1/codes/R'))
  expect(status).toBe(503)
  expect(headers.has('retry-after')).toBe(true)
  expect(afterMs).toBeGreaterThan(280)
  expect(afterMs).toBeLessThan(900)
  expect(await waiting(city.edge)).toBe(0)
  expect(await city.edge.metric('chiyuan_shed_total', 'home="610100",class="critical",reason="queue"')).toBe(
    1,
  )
})

it('a place that is freed in time serves who waits, a POST without Idempotency-Key as well', async () => {
  await using city = await takenCity({ targetWaitMs: 5000, maxWaitMs: 5000 })
  const get = ask(city.edge, '/v1/codes/R')
  const post = fetch(`${city.edge.url}/v1/verifications`, { method: 'POST', body: 'x' })
  await eventually(async () => expect(await waiting(city.edge)).toBe(2))
  city.local.letGo()
  expect((await get).body).toBe('local')
  expect([(await post).status, await (await post).text()]).toEqual([200, 'local'])
  expect([...city.local.seen].sort()).toEqual(['/v1/codes/R', '/v1/codes/first', '/v1/verifications'])
  expect(await waiting(city.edge)).toBe(0)
})

it('no more than queue.size wait; the next of the same class is turned away at once', async () => {
  await using city = await takenCity({ size: 2, targetWaitMs: 5000, maxWaitMs: 5000 })
  const two = [ask(city.edge, '/v1/codes/a'), ask(city.edge, '/v1/codes/b')]
  await eventually(async () => expect(await waiting(city.edge)).toBe(2))
  const { status, afterMs } = await timed(ask(city.edge, '/v1/codes/c'))
  expect(status).toBe(503)
  expect(afterMs).toBeLessThan(1000)
  city.local.letGo()
  expect((await Promise.all(two)).map((answer) => answer.status)).toEqual([200, 200])
})

it('a queue of size 0 turns away at once', async () => {
  await using city = await takenCity({ size: 0, targetWaitMs: 5000, maxWaitMs: 5000 })
  const { status, afterMs } = await timed(ask(city.edge, '/v1/codes/R'))
  expect(status).toBe(503)
  expect(afterMs).toBeLessThan(1000)
})

it('who leaves while waiting leaves the queue, and costs no node anything', async () => {
  await using city = await takenCity({ targetWaitMs: 5000, maxWaitMs: 5000 })
  const leaving = new AbortController()
  const left = fetch(`${city.edge.url}/v1/codes/leaves`, { signal: leaving.signal })
  const stays = ask(city.edge, '/v1/codes/stays')
  await eventually(async () => expect(await waiting(city.edge)).toBe(2))
  leaving.abort()
  await expect(left).rejects.toThrow('aborted')
  await eventually(async () => expect(await waiting(city.edge)).toBe(1))
  city.local.letGo()
  expect((await stays).status).toBe(200)
  expect(city.local.seen).toEqual(['/v1/codes/first', '/v1/codes/stays'])
  expect(await city.edge.metric('chiyuan_requests_in_flight', 'home="610100"')).toBe(0)
})

it('the deadline of all tries bounds the wait, however long the queue would bear', async () => {
  await using pausing = await httpUpstream((request, response) => {
    request.resume()
    response.writeHead(429, { 'retry-after': '30' }).end('full')
  })
  await using edge = await startCrowd([region('610100', { 'xian-1': pausing.url })], {
    attempts: { attemptTimeoutMs: 300, totalTimeoutMs: 300 },
    queue: { targetWaitMs: 5000, maxWaitMs: 5000 },
  })
  // From here on the node asks for nothing but silence.
  expect((await ask(edge, '/v1/codes/first')).status).toBe(429)
  const { status, afterMs } = await timed(ask(edge, '/v1/codes/R'))
  expect(status).toBe(503)
  expect(afterMs).toBeGreaterThan(280)
  expect(afterMs).toBeLessThan(1500)
  expect([await waiting(edge), pausing.requests]).toEqual([0, 1])
})

it('the more important overtake, in their own order', async () => {
  await using city = await takenCity({ targetWaitMs: 10_000, maxWaitMs: 10_000 })
  const paths = ['/v1/history/1', '/v1/tests/2', '/v1/codes/3', '/v1/history/4', '/v1/codes/5']
  const answers: Promise<Answer>[] = []
  for (const path of paths) {
    answers.push(ask(city.edge, path))
    await eventually(async () => expect(await waiting(city.edge)).toBe(answers.length))
  }
  for (let served = 1; served <= 6; served++) {
    await eventually(() => expect(city.local.seen).toHaveLength(served))
    city.local.release(1)
  }
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  expect(city.local.seen.slice(1)).toEqual([
    '/v1/codes/3',
    '/v1/codes/5',
    '/v1/tests/2',
    '/v1/history/1',
    '/v1/history/4',
  ])
})

it('learning sheds nobody: 100 at once to a node of 300 ms with no declared limit are all answered', async () => {
  await using slow = await httpUpstream(
    (_request, response) => void setTimeout(() => response.end('local'), 300),
  )
  // Node, gateway and clients share one process here: a busy moment of it must not look like the node's death.
  await using edge = await startCrowd([region('610100', { 'xian-1': slow.url })], {
    health: { timeoutMs: 20_000 },
  })
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(edge, `/v1/tests/R${i}`)))
  expect(answers.map(({ status }) => status).filter((status) => status !== 200)).toEqual([])
  expect(slow.requests).toBe(100)
})

it('the first to come is served first, until that is long ago: then the last, who has not waited for nothing', () => {
  let now = 1000
  using room = new WaitingRoom({
    settings: () => ({ size: 10, targetWaitMs: 30, maxWaitMs: 200 }),
    mayStretch: () => false,
    now: () => now,
  })
  const home = aHome([aLevel('local', [aNode('xian-1')])])
  const served: string[] = []
  let places = 0
  for (const name of ['a', 'b', 'c', 'd']) {
    const waiter: Waiter = {
      home,
      routeClass: 'critical',
      tried: [],
      proceed: () => places > 0 && places-- > 0 && served.push(name) > 0,
      waitedTooLong: () => served.push(`${name} turned away`),
    }
    expect(room.enter(waiter, now)).toBe(true)
    now += 5
  }
  places = 1
  room.placeFreed('610100')
  now += 20
  places = 2
  room.placeFreed('610100')
  expect(served).toEqual(['a', 'd', 'c'])
})
