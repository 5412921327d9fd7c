// Makes changes one after the other, tells of each once it is acknowledged, and expects to be killed in between.
import { Changes } from '../../gateway/control/changes.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'

const [, , file = '', first = '1', last = '1000'] = process.argv
const registry = openEmbeddedRegistry(file)
const changes = new Changes(registry, Date.now)
for (let i = Number(first); i <= Number(last); i++) {
  const key = `intent/holds/${i}`
  const entry = {
    actor: { id: 'tester', name: 'a tester' },
    from: 'local',
    action: 'hold.create',
    target: `holds/${i}`,
    reason: 'a test',
    before: null,
    after: { i },
    outcome: 'done' as const,
    detail: null,
  }
  await changes.commit(entry, [{ key, value: { i }, expectedVersion: 0 }])
  process.send?.(i)
}
process.disconnect?.()
