// Regions and holds become snapshots; a registry that is lost leaves the last one in force.
import { expect, it } from '@jest/globals'
import { Directory } from '../../gateway/control/directory.ts'
import { soleLock } from '../../gateway/control/registry/lock.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { compareAndSet, type Registry, RegistryUnavailable } from '../../gateway/control/registry/port.ts'
import { regionId } from '../../gateway/model/ids.ts'
import type { Snapshot } from '../../gateway/model/snapshot.ts'
import { FakeClock, settle } from '../support/fake-clock.ts'
import { listening } from '../support/silent-observer.ts'
import { activeEnrolment, putEnrolment } from '../support/enrolments.ts'
import { aHold, putHold } from '../support/holds.ts'
import { aNode, aRegion } from '../support/values.ts'

const xian = aRegion('610100', { nodes: [aNode('xian-1'), aNode('xian-2')] })

const enrolmentSettings = { rampMs: 6000, drainMs: 1000, share: 1 }

function setUp(registry: Registry) {
  const clock = new FakeClock()
  const { observer, events } = listening()
  const snapshots: Snapshot[] = []
  const directory = new Directory(
    { registry, clock, observer, wallNow: () => clock.now(), enrolments: () => enrolmentSettings },
    (snapshot) => {
      snapshots.push(snapshot)
    },
  )
  const held = (): string[] => [...(snapshots.at(-1)?.holds.keys() ?? [])]
  return { clock, events, snapshots, directory, held }
}

/** `real`, which tells no news by itself, and can be lost. */
function losable(real: Registry): { registry: Registry; lose: (isLost: boolean) => void } {
  let lost = false
  const registry: Registry = {
    list: (prefix) => (lost ? Promise.reject(new RegistryUnavailable('gone')) : real.list(prefix)),
    read: (key) => real.read(key),
    commit: (changes) => real.commit(changes),
    watch: () => () => {},
    lock: (name, holder) => real.lock(name, holder),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  return { registry, lose: (isLost) => (lost = isLost) }
}

it('publishes a frozen snapshot at once, and a new one for new regions', async () => {
  await using registry = openEmbeddedRegistry(':memory:')
  const { directory, snapshots } = setUp(registry)
  using _ = directory
  await directory.start([xian])
  directory.replaceRegions([xian, aRegion('610400')])
  expect(snapshots.map(({ version, nodes }) => [version, nodes.size])).toEqual([
    [1, 2],
    [2, 3],
  ])
  expect(snapshots.every(Object.isFrozen)).toBe(true)
})

it('applies a hold when it is put, and ends it with its lease', async () => {
  await using registry = openEmbeddedRegistry(':memory:')
  const { directory, clock, held } = setUp(registry)
  using _ = directory
  await directory.start([xian])
  await putHold(registry, aHold('xian-1', 'trip', 60_000))
  await settle()
  await directory.read()
  expect(held()).toEqual(['xian-1'])
  await clock.advance(59_999)
  expect(held()).toEqual(['xian-1'])
  await clock.advance(2)
  expect(held()).toEqual([])
})

it('ignores a lease that ended while nobody looked', async () => {
  await using registry = openEmbeddedRegistry(':memory:')
  await putHold(registry, aHold('xian-1', 'trip', 5))
  const { directory, clock, held } = setUp(registry)
  using _ = directory
  await clock.advance(10)
  await directory.start([xian])
  expect(held()).toEqual([])
})

it('goes on with what it knew when a record is of no use, and names it', async () => {
  await using registry = openEmbeddedRegistry(':memory:')
  const { directory, held } = setUp(registry)
  using _ = directory
  await putHold(registry, aHold('xian-1', 'trip', 60_000))
  await directory.start([xian])
  await compareAndSet(registry, 'intent/holds/bad', { kind: 'trip' }, 0)
  await directory.read()
  expect([held(), directory.lost]).toEqual([['xian-1'], 'unreadable records: intent/holds/bad'])
})

it('publishes nothing new where only other records changed', async () => {
  await using registry = openEmbeddedRegistry(':memory:')
  const { directory, snapshots } = setUp(registry)
  using _ = directory
  await directory.start([xian])
  await compareAndSet(registry, 'audit/1', {}, 0)
  await directory.read()
  expect(snapshots).toHaveLength(1)
})

it('tells the mode that operators have set', async () => {
  await using registry = openEmbeddedRegistry(':memory:')
  const { directory, snapshots } = setUp(registry)
  using _ = directory
  await directory.start([xian])
  await compareAndSet(
    registry,
    'intent/mode',
    { mode: 'emergency', owner: 'li', reason: 'crowd', setAt: 1 },
    0,
  )
  await directory.read()
  expect(snapshots.map(({ mode }) => mode)).toEqual([null, 'emergency'])
})

it('keeps the last view while the registry is lost, says so, and heals by itself', async () => {
  await using real = openEmbeddedRegistry(':memory:')
  const { registry, lose } = losable(real)
  await putHold(real, aHold('xian-1', 'trip', 1_000_000))
  const { directory, clock, events, held } = setUp(registry)
  using _ = directory
  await directory.start([xian])
  lose(true)
  await directory.read()
  expect([held(), directory.lost]).toEqual([['xian-1'], 'gone'])
  await putHold(real, aHold('xian-2', 'trip', 1_000_000))
  const since = directory.lostSince
  await clock.advance(3000)
  expect(held()).toEqual(['xian-1'])
  // Since it was lost, however often it was asked again.
  expect(directory.lostSince).toBe(since)
  lose(false)
  await clock.advance(1000)
  expect(held()).toEqual(['xian-1', 'xian-2'])
  expect(directory.lost).toBeNull()
  expect(events.filter((event) => event.startsWith('registry'))).toEqual(['registry lost', 'registry back'])
  // That of before the start is no news; that of meanwhile is.
  expect(events.filter((event) => event.startsWith('hold'))).toEqual(['hold hold-xian-2 put'])
})

it('ends a hold with its lease also while the registry is lost', async () => {
  await using real = openEmbeddedRegistry(':memory:')
  const { registry, lose } = losable(real)
  await putHold(real, aHold('xian-1', 'trip', 5000))
  const { directory, clock, held } = setUp(registry)
  using _ = directory
  await directory.start([xian])
  lose(true)
  await directory.read()
  expect(held()).toEqual(['xian-1'])
  await clock.advance(4000)
  expect(held()).toEqual(['xian-1'])
  await clock.advance(2500)
  expect([held(), directory.lost]).toEqual([[], 'gone'])
})

it('starts without its registry', async () => {
  const registry: Registry = {
    list: () => Promise.reject(new RegistryUnavailable('gone')),
    read: () => Promise.reject(new RegistryUnavailable('gone')),
    commit: () => Promise.reject(new RegistryUnavailable('gone')),
    watch: () => () => {},
    lock() {
      return soleLock(this)
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const { directory, snapshots } = setUp(registry)
  using _ = directory
  await directory.start([xian])
  expect(snapshots.map(({ nodes }) => nodes.size)).toEqual([2])
})

it('keeps to an enrolment’s validity and ramp while the registry is lost', async () => {
  await using real = openEmbeddedRegistry(':memory:')
  const { registry, lose } = losable(real)
  await putEnrolment(real, activeEnrolment({ validUntil: 20_000 }, 0))
  const { directory, clock, snapshots } = setUp(registry)
  using _ = directory
  await directory.start([xian])
  const rps = (): number | undefined => snapshots.at(-1)?.lending.get(regionId('610600'))?.limitRps
  expect(rps()).toBe(2)
  lose(true)
  await clock.advance(2500)
  expect([rps(), directory.lost]).toEqual([10, 'gone'])
  await clock.advance(18_500)
  expect(rps()).toBe(0)
  await clock.advance(2000)
  expect(rps()).toBeUndefined()
})
