// Every refused attempt of somebody who was let in had a record of its own, flushed to disk: whoever had a viewer's token
// could grow the audit log by as many as the listener takes, and bury among them what mattered.
import { expect, it } from '@jest/globals'
import { Strangers, ofOperators } from '../../gateway/control/audit/strangers.ts'
import type { AuditEntry } from '../../gateway/model/audit.ts'
import { openApi } from '../support/operators.ts'

it('has a bounded number of records of one operator, and room for others', async () => {
  await using api = await openApi()
  const viewer = await api.token('viewer')
  const approver = await api.token('approver')
  const body = { kind: 'trip', node: 'xian-1', reason: 'x', seconds: 60 }
  for (let i = 0; i < 150; i++) await api.post('/holds', body, viewer).expect(403)
  await api.post('/holds', body, approver).expect(403)
  const { body: log } = await api.get('/audit?limit=500').expect(200)
  const refused = log.items.filter(({ outcome }: { outcome: string }) => outcome === 'refused')
  const of = (name: string) =>
    refused.filter((one: { actor: { name: string } | null }) => one.actor?.name === name).length
  expect(of('viewer person')).toBeGreaterThanOrEqual(100)
  expect(of('viewer person')).toBeLessThan(110)
  expect(of('approver person')).toBe(1)
  expect(api.faults).toEqual([])
})

it('says how many more there were, and whose', async () => {
  const kept: AuditEntry[] = []
  const entry: AuditEntry = {
    actor: { id: 'abcd2345', name: 'a viewer' },
    from: '10.0.0.1',
    action: 'hold.create',
    target: 'holds',
    reason: null,
    before: null,
    after: null,
    outcome: 'refused',
    detail: null,
  }
  {
    const note = async (one: AuditEntry) => void kept.push(one)
    await using refusals = new Strangers({ note, now: () => 0, fault: () => {} }, ofOperators)
    for (let i = 0; i < 107; i++) await refusals.note(entry)
  }
  expect(kept).toHaveLength(101)
  expect(kept.at(-1)).toMatchObject({
    actor: null,
    action: 'access.refused',
    detail: '7 more refused attempts: abcd2345 7',
  })
})
