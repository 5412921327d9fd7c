// Streams counted for nothing in what a node can take: three hundred requests with `Accept: text/event-stream`, or with a
// body of 66 kB, stood open at a node for twenty, and checkpoints waited three seconds for it. Until its answer begins, a
// stream is work like any other.
import type { ServerResponse } from 'node:http'
import { expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { region, startCrowd } from '../support/crowd.ts'
import { httpUpstream } from '../support/upstream.ts'

async function smallCity(node: { limit?: number }, changes: Record<string, unknown>) {
  const held: ServerResponse[] = []
  const upstream = await httpUpstream((request, response) => {
    request.resume()
    request.on('end', () => held.push(response))
  })
  const one = node.limit === undefined ? upstream.url : { url: upstream.url, limit: node.limit }
  const edge = await startCrowd([region('610100', { 'xian-1': one })], changes)
  return {
    edge,
    held,
    async [Symbol.asyncDispose]() {
      await edge.close()
      await upstream.close()
    },
  }
}

it.each([
  { name: 'event streams', init: { headers: { accept: 'text/event-stream' } } },
  { name: 'uploads', init: { method: 'PUT', body: 'u'.repeat(70_000) } },
])('$name that wait for their answer fill a node, and more of them are turned away', async ({ init }) => {
  await using city = await smallCity({}, { concurrency: { initial: 4, floor: 4 } })
  const { edge, held } = city
  const asked: Promise<Response>[] = []
  for (let i = 1; i <= 4; i++) {
    asked.push(fetch(`${edge.url}/v1/history/${i}`, init))
    await eventually(() => expect(held).toHaveLength(i))
  }
  const fifth = await fetch(`${edge.url}/v1/history/5`, init)
  expect([fifth.status, Number(fifth.headers.get('retry-after')) > 0]).toEqual([503, true])
  await fifth.text()
  for (const response of held.splice(0)) response.end('done')
  for (const one of asked) expect(await (await one).text()).toBe('done')
  const next = fetch(`${edge.url}/v1/history/6`, init)
  await eventually(() => expect(held).toHaveLength(1))
  held[0]?.end('done')
  expect((await next).status).toBe(200)
})

it('event streams of a class that has to stand back are turned away too', async () => {
  await using city = await smallCity(
    { limit: 1 },
    {
      queue: { targetWaitMs: 20, maxWaitMs: 5000 },
      classes: { deferrable: { routes: [{ path: '/v1/history/**' }] } },
    },
  )
  const { edge, held } = city
  const first = fetch(`${edge.url}/v1/codes/R1`)
  await eventually(() => expect(held).toHaveLength(1))
  const second = fetch(`${edge.url}/v1/codes/R2`)
  const accept = { headers: { accept: 'text/event-stream' } }
  const shed = 'home="610100",class="deferrable",reason="class"'
  await eventually(async () => {
    await (await fetch(`${edge.url}/v1/history/1`, accept)).text()
    expect(await edge.metric('chiyuan_shed_total', shed)).toBeGreaterThan(0)
  })
  held.shift()?.end('done')
  await eventually(() => expect(held).toHaveLength(1))
  held.shift()?.end('done')
  expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200])
})

it('a stream that has begun is no work any more, but counts against a limit that the node has declared', async () => {
  await using city = await smallCity({ limit: 3 }, {})
  const { edge, held } = city
  const stream = await Promise.all([
    fetch(`${edge.url}/v1/history/1`, { headers: { accept: 'text/event-stream' } }),
    eventually(() => expect(held).toHaveLength(1)).then(() => held[0]?.write('data: hello\n\n')),
  ]).then(([answer]) => answer)
  expect(stream.status).toBe(200)
  await eventually(async () =>
    expect(await edge.metric('chiyuan_node_in_flight', 'node="xian-1",region="610100"')).toBe(0),
  )
  expect(await edge.metric('chiyuan_node_limit', 'node="xian-1",region="610100"')).toBe(2)
  await stream.body?.cancel()
})
