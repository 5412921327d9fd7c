// A backup program held the registry's file. Whoever wrote, such as a drill that puts its leases off each second, kept the
// whole process for two seconds each time, and all residents with it: two seconds of every three, as long as it lasted.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from '@jest/globals'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { RegistryUnavailable } from '../../gateway/control/registry/port.ts'

it('a write that has to wait for another process gives up before residents notice', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chiyuan-locked-'))
  using removed = new DisposableStack()
  removed.defer(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'registry.db')
  await using registry = openEmbeddedRegistry(file)
  using other = new DatabaseSync(file)
  other.exec('BEGIN IMMEDIATE')
  const since = performance.now()
  await expect(registry.commit([{ key: 'a', value: 1, expectedVersion: 0 }])).rejects.toThrow(
    RegistryUnavailable,
  )
  // It waits on this thread, which is the residents' as well.
  expect(performance.now() - since).toBeLessThan(1000)
  other.exec('COMMIT')
  expect(await registry.commit([{ key: 'a', value: 1, expectedVersion: 0 }])).toMatchObject({ ok: true })
})
