// A resident who closed an event stream was counted as an answer that broke, and a node that broke one as a success: a
// drill that stops on resident-visible errors would have stopped for nothing, and missed the real thing.
import { expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream } from '../support/upstream.ts'

it('who broke a stream is told apart', async () => {
  await using node = await httpUpstream((request, response) => {
    response.write('data: x\n\n')
    if (request.url === '/dies') setTimeout(() => response.destroy(), 20)
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const ended = (outcome: string) =>
    edge.metric('chiyuan_requests_total', `home="610100",level="local",region="610100",outcome="${outcome}"`)
  const leaving = new AbortController()
  await fetch(edge.url, { headers: { accept: 'text/event-stream' }, signal: leaving.signal })
  leaving.abort()
  await eventually(async () => expect([await ended('client-left'), await ended('cut')]).toEqual([1, 0]))
  const dying = await fetch(`${edge.url}/dies`, { headers: { accept: 'text/event-stream' } })
  await expect(dying.text()).rejects.toThrow('terminated')
  expect([await ended('client-left'), await ended('cut')]).toEqual([1, 1])
  expect(await edge.metric('chiyuan_attempts_total', 'node="xian-1",outcome="reset"')).toBe(1)
})
