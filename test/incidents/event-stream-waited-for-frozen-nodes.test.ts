// An event stream gave each node a whole attempt's time before its first byte: beside two frozen nodes that still answered
// probes each stream waited ten seconds, the hundredth as long as the first, for streams said nothing of silence.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream } from '../support/upstream.ts'

it('another node is asked after a second, and frozen ones are left alone from then on', async () => {
  await using frozen = await httpUpstream(() => {})
  await using other = await httpUpstream(() => {})
  await using neighbour = await httpUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: hello\n\n')
  })
  await using edge = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': frozen.url, 'xian-2': other.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
    ],
    { health: { intervalMs: 60_000, fastIntervalMs: 60_000 } },
  )
  const stream = async (): Promise<number> => {
    const startedAt = performance.now()
    const answer = await fetch(edge.url, { headers: { accept: 'text/event-stream' } })
    expect(answer.status).toBe(200)
    await answer.body?.cancel()
    return performance.now() - startedAt
  }
  // At once, so that each of the two is silent to several.
  const first = await Promise.all(Array.from({ length: 8 }, stream))
  expect(Math.max(...first)).toBeLessThan(4000)
  expect(await stream()).toBeLessThan(500)
}, 15_000)

it('one that only begins late is waited for where nobody else is left', async () => {
  await using late = await httpUpstream((_request, response) => {
    setTimeout(
      () => response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: a\n\n'),
      1500,
    )
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': late.url } }])
  const answer = await fetch(edge.url, { headers: { accept: 'text/event-stream' } })
  expect([answer.status, await answer.text()]).toEqual([200, 'data: a\n\n'])
  expect(late.requests).toBe(1)
})
