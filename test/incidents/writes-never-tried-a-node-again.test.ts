// Only a request that could be moved was let through a half-open breaker. Where residents sent nothing but POSTs, uploads
// or event streams, a node that had been ill for a moment was never asked again: checkpoints stayed at 503 for ever, beside
// a node that was well.
import { expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream } from '../support/upstream.ts'

const breaker = { windowMs: 200, resetTimeoutMs: 250, volumeThreshold: 4, slowStartMs: 0 }

it.each([
  { name: 'POSTs', init: { method: 'POST', body: 'checked' } },
  { name: 'event streams', init: { headers: { accept: 'text/event-stream' } } },
  { name: 'uploads', init: { method: 'PUT', body: 'x'.repeat(80_000) } },
])('a node that was ill for a moment serves $name again', async ({ init }) => {
  let ill = true
  await using node = await httpUpstream((request, response) => {
    request.resume()
    request.on('end', () => response.writeHead(ill ? 500 : 200).end('done'))
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], { breaker })
  const ask = async (): Promise<number> => {
    const answer = await fetch(`${edge.url}/v1/verifications`, init)
    await answer.text()
    return answer.status
  }
  await eventually(async () => expect(await ask()).toBe(503))
  ill = false
  await eventually(async () => expect(await ask()).toBe(200))
})
