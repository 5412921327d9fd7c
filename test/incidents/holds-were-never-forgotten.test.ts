// Holds stayed in the registry after their leases had ended, and one operator could put as many as they liked: every
// process reads all of them with every decision of anybody, so that decisions took ever longer to be applied.
import { expect, it } from '@jest/globals'
import { forgetEndedHolds, keptAfterEndMs } from '../../gateway/control/intent/ended-holds.ts'
import { holdPrefix } from '../../gateway/control/intent/holds.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { aHold, putHold } from '../support/holds.ts'
import { openApi } from '../support/operators.ts'

it('are forgotten a while after their end, and only those', async () => {
  await using registry = openEmbeddedRegistry(':memory:')
  const now = Date.now()
  await putHold(registry, { ...aHold('xian-1', 'trip', now - keptAfterEndMs - 1), id: 'long-ago' })
  await putHold(registry, { ...aHold('xian-1', 'trip', now - 1), id: 'just-now' })
  await putHold(registry, { ...aHold('xian-1', 'trip', now + 60_000), id: 'in-force' })
  await forgetEndedHolds(registry, now)
  const left = await registry.list(holdPrefix)
  expect(left.map(({ key }) => key)).toEqual([`${holdPrefix}in-force`, `${holdPrefix}just-now`])
})

it.each(['trip', 'bypass'])('have a bound on one node: %s', async (kind) => {
  await using api = await openApi()
  const hold = { kind, node: 'xian-1', reason: 'a test', seconds: 60 }
  for (let i = 0; i < 20; i++) await api.post('/holds', hold).expect(201)
  await api.directory.read()
  const refused = await api.post('/holds', hold).expect(409)
  expect(refused.body).toMatchObject({ type: 'urn:chiyuan:problem:conflict' })
  await api.asDocumented('post', '/holds', refused)
  await api.post('/holds', { ...hold, node: 'xian-2', override: true }).expect(201)
  expect(api.faults).toEqual([])
})
