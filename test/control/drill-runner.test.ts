// The runner by hand: leases put off, schedules kept, failures that end a drill, and what is written of it all.
import { expect, it } from '@jest/globals'
import { Changes } from '../../gateway/control/changes.ts'
import { snapshotOf } from '../../gateway/control/directory.ts'
import { factsOf } from '../../gateway/control/drills/facts.ts'
import { leaseMs } from '../../gateway/control/drills/leases.ts'
import { drillPartPrefix, partsOf } from '../../gateway/control/drills/part-record.ts'
import { drillPrefix, drillReportPrefix, drillSchema } from '../../gateway/control/drills/records.ts'
import { drillResults } from '../../gateway/control/drills/results.ts'
import { DrillRunner } from '../../gateway/control/drills/runner.ts'
import { startOf, startWrites } from '../../gateway/control/drills/writes.ts'
import { nextTurn, turnKey } from '../../gateway/control/guard-turn.ts'
import { drillLeasePrefix, drillLeaseSchema } from '../../gateway/control/intent/drills.ts'
import { noIntent } from '../../gateway/control/intent/read.ts'
import { OneByOne } from '../../gateway/control/one-by-one.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { listTyped, readTyped } from '../../gateway/control/registry/typed.ts'
import type { Drill } from '../../gateway/model/drill.ts'
import { takeStep } from '../../gateway/policy/drill.ts'
import { drillDefaults } from '../../gateway/policy/drill-guards.ts'
import { type DrillMeasures, MeasuresInTheMaking } from '../../gateway/policy/drill-measure.ts'
import { demoFederation, xian, xianyang } from '../support/demo-federation.ts'
import { aDrill, aPlan } from '../support/drills.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { homeReads, nodeReads, reads } from '../support/readings.ts'

const monday = Date.parse('2026-11-23T02:00:00+08:00')

function setUp() {
  const registry = openEmbeddedRegistry(':memory:')
  const clock = new FakeClock()
  const wallNow = () => monday + clock.now()
  const changes = new Changes(registry, wallNow)
  const regions = demoFederation()
  const snapshot = snapshotOf(1, regions, noIntent)
  const faults: unknown[] = []
  const world = {
    readings: reads(
      [nodeReads('xian-1'), nodeReads('xian-2'), nodeReads('xianyang-1', xianyang)],
      [homeReads(xian, 1)],
    ),
    measures: null as DrillMeasures | null,
    inForce: false,
    meanwhile: null as (() => Promise<void>) | null,
    mode: 'peacetime' as 'peacetime' | 'emergency',
    lock: { isHeld: true, registry, deposed: 0, depose: async () => void (world.lock.deposed += 1) },
  }
  const measured = { read: () => Promise.resolve(world.readings) }
  const runner = new DrillRunner({
    lock: world.lock,
    changes,
    clock,
    wallNow,
    snapshot: () => snapshot,
    mode: () => world.mode,
    measured,
    drills: {
      read: () =>
        Promise.resolve({
          measures: world.measures,
          isHeard: world.measures !== null,
          heardTo: world.measures === null ? 0 : wallNow(),
          inForce: world.inForce,
          gateways: [],
        }),
    },
    guarded: new OneByOne(),
    hearAgain: async () => world.meanwhile?.(),
    foresee: (plan, others) =>
      factsOf(plan, others, {
        snapshot: () => snapshot,
        regions: () => regions,
        intent: () => noIntent,
        drains: () => [],
        settings: () => drillDefaults,
        bounds: () => ({ attemptTimeoutMs: 5000, breakerOpensAbove: 0.25 }),
        measured,
        fileMode: () => world.mode,
        warmShare: () => 0,
        wallNow,
        isMeasured: true,
      }),
    aheadMs: () => 5000,
    gatewayId: 'gw-1',
    fault: (cause) => faults.push(cause),
  })
  const put = (drill: Drill) =>
    registry.commit([{ key: drillPrefix + drill.id, value: drillSchema.parse(drill), expectedVersion: 0 }])
  const drill = async (): Promise<Drill | undefined> =>
    (await readTyped(registry, `${drillPrefix}d1`, drillSchema))?.value
  const leases = async () =>
    (await listTyped(registry, drillLeasePrefix, drillLeaseSchema)).map(({ value }) => value)
  return {
    registry,
    clock,
    wallNow,
    world,
    faults,
    put,
    drill,
    leases,
    async running(changes_: Partial<Drill> = {}, overruled: string[] = []): Promise<void> {
      const planned = aDrill({ state: 'previewed', ...changes_ })
      await put(planned)
      const run = startOf(planned, wallNow(), 5000, overruled)
      const started = takeStep(planned, { kind: 'start', run }, wallNow(), false)
      if (!started.ok) throw new Error('it does not start')
      const writes = await startWrites(registry, { value: planned, version: 1 }, started.drill, wallNow())
      await registry.commit(writes ?? [])
    },
    async look(): Promise<void> {
      await clock.advance(0)
      await runner.look()
    },
    async [Symbol.asyncDispose]() {
      await runner[Symbol.asyncDispose]()
      await registry[Symbol.asyncDispose]()
      expect(faults).toEqual([])
    },
  }
}

const notEnded = { endedAt: null, ending: null, detail: '' } as const
const quiet = (): DrillMeasures => new MeasuresInTheMaking(monday).read(monday)
const weekly = { kind: 'weekly' as const, windows: [{ weekday: 1, from: 120, to: 180 }], blocked: [] }

it('has a lease for each home, puts them off while it runs, and takes them away with its end', async () => {
  await using drills = setUp()
  drills.world.measures = quiet()
  await drills.running({ scope: { ...aPlan().scope, homes: [xian, xianyang] } })
  expect((await drills.leases()).map(({ home, expiresAt }) => [home, expiresAt - monday])).toEqual([
    [xian, leaseMs],
    [xianyang, leaseMs],
  ])
  await drills.look()
  expect((await drills.leases())[0]?.expiresAt).toBe(monday + leaseMs)
  await drills.clock.advance(leaseMs - 9000)
  await drills.look()
  expect((await drills.leases()).map(({ expiresAt }) => expiresAt)).toEqual([
    drills.wallNow() + leaseMs,
    drills.wallNow() + leaseMs,
  ])
  // Never beyond the end of the fault.
  while (drills.wallNow() < monday + 60_000) {
    await drills.clock.advance(4000)
    await drills.look()
  }
  expect((await drills.leases())[0]?.expiresAt).toBe(monday + 65_000)
  drills.world.inForce = true
  await drills.clock.advance(4000)
  await drills.look()
  expect(await drills.leases()).toEqual([])
  expect(await drills.drill()).toMatchObject({ state: 'restoring', run: { ending: 'time' } })
  await drills.look()
  expect((await drills.drill())?.state).toBe('restoring')
  drills.world.inForce = false
  await drills.look()
  expect((await drills.drill())?.state).toBe('reported')
  expect(await drills.registry.read(`${drillReportPrefix}d1`)).not.toBeNull()
  // What a scoreboard goes by, beside it.
  expect(await drillResults(drills.registry)).toMatchObject([
    { drill: 'd1', fault: 'refuse', reached: { [xian]: ['xian-1', 'xian-2'] }, verdict: 'no-traffic' },
  ])
}, 30_000)

it('is over when a node fails by itself, whether it is in scope or not', async () => {
  await using drills = setUp()
  drills.world.measures = quiet()
  await drills.running()
  await drills.look()
  drills.world.readings = reads([
    nodeReads('xian-1', xian, { health: 'down' }),
    nodeReads('xianyang-1', xianyang),
  ])
  await drills.look()
  expect(await drills.drill()).toMatchObject({
    state: 'restoring',
    run: { ending: 'failed', detail: 'xian-1' },
  })
})

it.each([
  { overruled: [], is: { state: 'restoring', run: { ending: 'emergency' } } },
  { overruled: ['emergency'], is: { state: 'running' } },
])('when somebody declares an emergency, having overruled $overruled: $is', async ({ overruled, is }) => {
  await using drills = setUp()
  drills.world.measures = quiet()
  await drills.running({}, overruled)
  await drills.look()
  expect((await drills.drill())?.state).toBe('running')
  drills.world.mode = 'emergency'
  await drills.look()
  expect(await drills.drill()).toMatchObject(is)
})

it('is looked after although another one can’t be', async () => {
  await using drills = setUp()
  drills.world.measures = quiet()
  await drills.put(aDrill({ id: 'a', state: 'scheduled', schedule: weekly, nextAt: monday, cohort: 0.01 }))
  await drills.running()
  drills.world.meanwhile = () => Promise.reject(new Error('a fault of our own'))
  await drills.look()
  drills.world.readings = reads([nodeReads('xian-1', xian, { health: 'down' })])
  await drills.look()
  expect(await drills.drill()).toMatchObject({ state: 'restoring', run: { ending: 'failed' } })
  expect(drills.faults.splice(0).length).toBeGreaterThan(0)
})

it('has no second one of its home beside it, until its lease has ended', async () => {
  await using drills = setUp()
  await drills.running()
  const other = aDrill({
    id: 'd2',
    state: 'running',
    run: { ...startOf(aPlan(), drills.wallNow(), 0), ...notEnded },
  })
  const asked = { value: other, version: 0 }
  expect(await startWrites(drills.registry, asked, other, drills.wallNow())).toBeNull()
  const late = drills.wallNow() + leaseMs + 1
  const writes = await startWrites(drills.registry, asked, other, late)
  expect(await drills.registry.commit(writes ?? [])).toMatchObject({ ok: true })
  expect((await drills.leases()).map(({ drill }) => drill)).toEqual(['d2'])
})

it('is over when nobody measures it', async () => {
  await using drills = setUp()
  await drills.running()
  for (let i = 0; i < 4; i++) await drills.look()
  expect(await drills.drill()).toMatchObject({ state: 'restoring', run: { ending: 'measured' } })
})

it('begins in its window, with nobody there', async () => {
  await using drills = setUp()
  await drills.put(aDrill({ state: 'scheduled', schedule: weekly, nextAt: monday + 60_000, cohort: 0.01 }))
  await drills.look()
  expect((await drills.drill())?.state).toBe('scheduled')
  await drills.clock.advance(60_000)
  await drills.look()
  expect(await drills.drill()).toMatchObject({
    state: 'running',
    nextAt: null,
    run: { startedAt: drills.wallNow() },
  })
  expect(await drills.leases()).toHaveLength(1)
})

it.each([
  { why: 'something speaks against it', mode: 'emergency' as const, cohort: 0.01, reason: 'emergency' },
  {
    why: 'it has become so wide that it wants approval',
    mode: 'peacetime' as const,
    cohort: 0.5,
    reason: 'another person has to approve it',
  },
])('waits for the next minute of its window where $why', async ({ mode, cohort, reason }) => {
  await using drills = setUp()
  drills.world.mode = mode
  await drills.put(aDrill({ state: 'scheduled', schedule: weekly, nextAt: monday, cohort }))
  await drills.look()
  expect(await drills.drill()).toMatchObject({ state: 'scheduled', nextAt: monday + 60_000 })
  expect(await drills.leases()).toEqual([])
  const [record] = await drills.registry.list('audit/')
  expect(record?.value).toMatchObject({ action: 'drill.postpone', reason, actor: { name: 'gw-1' } })
})

it.each([
  {
    name: 'comes back hours after its window',
    at: '2026-11-23T11:00:00+08:00',
    schedule: weekly,
    is: { state: 'scheduled', nextAt: monday + 7 * 86_400_000 },
  },
  {
    name: 'comes back on a blocked date',
    at: '2026-11-23T02:10:00+08:00',
    schedule: { ...weekly, blocked: ['2026-11-23'] },
    is: { state: 'scheduled', nextAt: monday + 7 * 86_400_000 },
  },
  {
    name: 'comes back while its window is still open',
    at: '2026-11-23T02:50:00+08:00',
    schedule: weekly,
    is: { state: 'running' },
  },
  {
    name: 'comes back hours after its only date',
    at: '2026-11-23T05:00:00+08:00',
    schedule: { kind: 'once' as const, at: monday },
    is: { state: 'aborted', nextAt: null, run: null },
  },
  {
    name: 'comes back a minute after its only date',
    at: '2026-11-23T02:01:00+08:00',
    schedule: { kind: 'once' as const, at: monday },
    is: { state: 'running' },
  },
])('does not begin outside its window where the gateway $name', async ({ at, schedule, is }) => {
  await using drills = setUp()
  await drills.clock.advance(Date.parse(at) - monday)
  await drills.put(aDrill({ state: 'scheduled', schedule, nextAt: monday, cohort: 0.01 }))
  await drills.look()
  expect(await drills.drill()).toMatchObject(is)
  if (is.state === 'running') return
  const [record] = await drills.registry.list('audit/')
  expect(record?.value).toMatchObject({ action: 'drill.postpone', reason: 'its time was missed' })
})

it('that can’t begin on its only date is given up', async () => {
  await using drills = setUp()
  drills.world.mode = 'emergency'
  await drills.put(
    aDrill({ state: 'scheduled', schedule: { kind: 'once', at: monday }, nextAt: monday, cohort: 0.01 }),
  )
  await drills.look()
  expect(await drills.drill()).toMatchObject({ state: 'aborted', run: null })
})

it('of two changes that guards judge the one that was not judged by what stands is not written', async () => {
  await using drills = setUp()
  await drills.put(aDrill({ state: 'scheduled', schedule: weekly, nextAt: monday, approver: null }))
  // Another gateway's change, between what this one reads and what it writes.
  drills.world.meanwhile = async () => {
    drills.world.meanwhile = null
    await drills.registry.commit([await nextTurn(drills.registry)])
  }
  await drills.look()
  expect([(await drills.drill())?.state, await drills.leases()]).toEqual(['scheduled', []])
  await drills.look()
  expect((await drills.drill())?.state).toBe('running')
  const turn = await drills.registry.read(turnKey)
  expect(turn).toMatchObject({ value: { count: 2 } })
})

it('a node that comes while it is on and was never well does not end it, one that was well and fails does', async () => {
  await using drills = setUp()
  drills.world.measures = quiet()
  const all = drills.world.readings
  const withLast = (health: 'up' | 'down') => ({
    ...all,
    nodes: all.nodes.map((one) => (one.node === 'xianyang-1' ? { ...one, health } : one)),
  })
  drills.world.readings = { ...all, nodes: all.nodes.filter(({ node }) => node !== 'xianyang-1') }
  await drills.running()
  await drills.look()
  drills.world.readings = withLast('down')
  await drills.look()
  expect((await drills.drill())?.state).toBe('running')
  drills.world.readings = withLast('up')
  await drills.look()
  drills.world.readings = { ...all, nodes: [] }
  await drills.look()
  expect((await drills.drill())?.state).toBe('running')
  drills.world.readings = withLast('down')
  await drills.look()
  expect((await drills.drill())?.run).toMatchObject({ ending: 'failed', detail: 'xianyang-1' })
})

it('where another runs drills, touches nothing while that one does, and takes over when it does not', async () => {
  await using drills = setUp()
  drills.world.measures = quiet()
  await drills.running()
  drills.world.lock.isHeld = false
  const lookFor = async (ms: number, putOff: boolean): Promise<void> => {
    for (let past = 0; past < ms; past += 1000) {
      await drills.clock.advance(1000)
      if (putOff) {
        const [lease] = await drills.registry.list(drillLeasePrefix)
        if (lease !== undefined) await drills.registry.commit([{ ...lease, expectedVersion: lease.version }])
      }
      await drills.look()
    }
  }
  await lookFor(12_000, true)
  expect(drills.world.lock.deposed).toBe(0)
  // Its leases have been put off by nobody but who has the lock.
  expect((await drills.leases())[0]?.expiresAt).toBe(monday + leaseMs)
  await lookFor(6000, false)
  expect(drills.world.lock.deposed).toBe(0)
  await lookFor(1000, false)
  expect(drills.world.lock.deposed).toBe(1)
  expect((await drills.drill())?.state).toBe('running')
  drills.world.lock.isHeld = true
  await drills.look()
  expect(await drills.drill()).toMatchObject({ state: 'restoring', run: { ending: 'interrupted' } })
})

it('clears away what was measured of drills that are over, and nothing of those that are on', async () => {
  await using drills = setUp()
  drills.world.measures = quiet()
  await drills.running()
  const parts = [`${partsOf('d1')}one`, `${partsOf('d0')}one`, `${partsOf('d0')}two`]
  for (const key of parts) await drills.registry.commit([{ key, value: 1, expectedVersion: 0 }])
  await drills.look()
  expect((await drills.registry.list(drillPartPrefix)).map(({ key }) => key)).toEqual(parts.slice(0, 1))
})
