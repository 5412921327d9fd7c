// Paper in the demo: printed and reported lost through the gateway, judged by whoever stands in once home is dead.
import { expect, it, jest } from '@jest/globals'
import { z } from 'zod'
import { RunningDemo } from '../support/demo.ts'
import { eventually } from '../support/eventually.ts'

jest.setTimeout(120_000)

const HOLDER = 'R610100-000002'
const printed = z.object({ codeId: z.uuid(), code: z.string() })
const verdict = z.object({
  valid: z.boolean(),
  status: z.string(),
  reason: z.string().optional(),
  issuer: z.string(),
})

async function post(demo: RunningDemo, path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }
  return fetch(demo.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
}

it('stands in for dead home with the colour of the copy, and takes no paper that was lost before', async () => {
  await using demo = await RunningDemo.start(18_450)
  const print = async () =>
    printed.parse(await (await post(demo, '/v1/paper-codes', { residentId: HOLDER })).json())
  const verify = async (code: string) =>
    verdict.parse(await (await post(demo, '/v1/verifications', { code })).json())
  const [lost, kept] = [await print(), await print()]
  expect(await verify(lost.code)).toMatchObject({ valid: true, status: 'green', issuer: '610100' })
  const report = await post(demo, '/v1/loss-reports', { residentId: HOLDER, codeId: lost.codeId })
  expect(report.status).toBe(201)
  demo.kill('xian-1', 'xian-2')
  await eventually(async () => {
    expect(await verify(kept.code)).toMatchObject({ valid: true, status: 'green', issuer: '610400' })
  }, 15_000)
  await eventually(async () => expect((await verify(lost.code)).reason).toBe('revoked'), 15_000)
})
