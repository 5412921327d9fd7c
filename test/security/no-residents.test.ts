// What a resident is called stays between the resident and the node: no log line, metric or error says it.
import { expect, it } from '@jest/globals'
import { startFederation } from '../support/federation.ts'

it('a resident’s id is in no log line, metric or error answer, whatever fails', async () => {
  await using federation = await startFederation({ logLevel: 'debug', logFormat: 'json' })
  let said = ''
  federation.gateway.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  federation.gateway.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ask = (i: number): Promise<Response> =>
    fetch(`${federation.url}/v1/codes/SECRET-${i}?t=SECRET`, {
      headers: { cookie: 'id=SECRET', 'x-resident': 'SECRET' },
    })
  for (let i = 0; i < 20; i++) await (await ask(i)).text()
  for (const node of federation.local) node.behave({ errorShare: 1 })
  for (let i = 0; i < 30; i++) await (await ask(i)).text()
  await Promise.all(federation.nodes.map((node) => node.kill()))
  let errors = ''
  let unavailable = 0
  while (unavailable < 20) {
    const answer = await ask(unavailable)
    if (answer.status === 503) unavailable += 1
    errors += `${await answer.text()}${JSON.stringify([...answer.headers])}`
  }
  const metrics = await (await fetch(`${federation.adminUrl}/metrics`)).text()
  expect(said).toContain('"event":"breaker"')
  expect(said).not.toContain('SECRET')
  expect(metrics).not.toContain('SECRET')
  expect(errors).not.toMatch(/SECRET|127\.0\.0\.1|xian-1|ECONNREFUSED/)
}, 30_000)
