// The audit records that a drill's report names: its own, all of them, however long the log is.
import { expect, it } from '@jest/globals'
import { auditReferences } from '../../gateway/control/drills/audit-references.ts'
import { auditKey } from '../../gateway/control/audit/audit-log.ts'
import { Changes } from '../../gateway/control/changes.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import type { AuditEntry } from '../../gateway/model/audit.ts'

it('names what was done and tried of one drill, oldest first, over several pages', async () => {
  await using registry = openEmbeddedRegistry(':memory:')
  let now = Date.parse('2026-11-23T02:00:00+08:00')
  const changes = new Changes(registry, () => now)
  const note = async (action: string, target: string, done = true): Promise<void> => {
    now += 1000
    const entry: AuditEntry = {
      actor: { id: 'o1', name: 'Li' },
      from: 'local',
      action,
      target,
      reason: null,
      before: null,
      after: null,
      outcome: done ? 'done' : 'refused',
      detail: null,
    }
    await changes.note(entry)
  }
  for (let i = 0; i < 210; i++) await note('hold.create', `holds/${i}`)
  const createdAt = now + 1000
  await note('drill.create', 'drills/d1')
  await note('drill.create', 'drills/d10')
  for (let i = 0; i < 210; i++) await note('hold.create', `holds/${i}`)
  await note('drill.start', 'drills/d1/start', false)
  await note('drill.start', 'drills/d1')
  const found = await auditReferences(registry, { id: 'd1', createdAt })
  expect(found.map(({ seq, action, outcome }) => [seq, action, outcome])).toEqual([
    [211, 'drill.create', 'done'],
    [423, 'drill.start', 'refused'],
    [424, 'drill.start', 'done'],
  ])
  expect(found[0]).toMatchObject({ at: createdAt, by: 'Li' })
  // What somebody made unreadable hides nothing else.
  const record = await registry.read(auditKey(423))
  await registry.commit([{ key: auditKey(423), value: {}, expectedVersion: record?.version ?? 0 }])
  const left = await auditReferences(registry, { id: 'd1', createdAt })
  expect(left.map(({ seq }) => seq)).toEqual([211, 424])
})
