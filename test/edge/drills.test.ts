// A drill's fault is met by its cohort as a real one would be, by nobody else, and ends by itself.
import { expect, it } from '@jest/globals'
import type { DrillLease, Fault } from '../../gateway/model/drill.ts'
import type { DrillMeasures } from '../../gateway/policy/drill-measure.ts'
import { aLease, endLease, putLease } from '../support/drills.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream, named } from '../support/upstream.ts'

interface Seen {
  readonly resident: number
  readonly status: number
  readonly by: string
  readonly ms: number
  readonly at: number
}

async function twoCities(changes: Record<string, unknown> = {}) {
  const behaviour = { status: 200, delayMs: 0 }
  const own = await httpUpstream((request, response) => {
    response.statusCode = behaviour.status
    setTimeout(() => named('own')(request, response), behaviour.delayMs)
  })
  const neighbour = await httpUpstream(named('neighbour'))
  const gateway = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': own.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
    ],
    changes,
  )
  const { rehearsals, registry } = gateway.gateway
  const seen: Seen[] = []
  const ask = async (resident: number, init: RequestInit = {}): Promise<Seen> => {
    const started = performance.now()
    const response = await fetch(`${gateway.url}/v1/codes/R${resident}`, init)
    const by = await response.text()
    const one = { resident, status: response.status, by, ms: performance.now() - started, at: Date.now() }
    seen.push(one)
    return one
  }
  /** Every resident of `count` once, eight at a time. */
  const round = async (count: number): Promise<readonly Seen[]> => {
    const from = seen.length
    for (let i = 0; i < count; i += 8) {
      await Promise.all(Array.from({ length: Math.min(8, count - i) }, (_, k) => ask(i + k)))
    }
    return seen.slice(from)
  }
  /** Resolves once the fault is on. */
  const begin = async (fault: Fault, changed: Partial<DrillLease> = {}): Promise<DrillLease> => {
    const lease = aLease(fault, changed)
    await putLease(registry, lease)
    await eventually(() => expect(rehearsals.read(lease.drill)?.timeline.faultOn).toBeDefined())
    return lease
  }
  const measured = ({ drill }: DrillLease): DrillMeasures => {
    const measures = rehearsals.read(drill)
    if (measures === null) throw new Error('it took no part')
    return measures
  }
  return {
    own,
    behaviour,
    neighbour,
    gateway,
    rehearsals,
    registry,
    ask,
    round,
    begin,
    measured,
    metric: (name: string, labels: string) => gateway.metric(name, labels),
    async [Symbol.asyncDispose]() {
      await gateway.close()
      await own.close()
      await neighbour.close()
    },
  }
}

const failed = 'chiyuan_attempts_total'
const everyOk = (seen: readonly Seen[]): boolean => seen.every(({ status }) => status === 200)

it('reaches one resident in ten and leaves all others at home, at their pace, with the real breaker closed', async () => {
  await using edge = await twoCities()
  await edge.round(200)
  const lease = await edge.begin({ kind: 'refuse' }, { cohort: 0.1 })
  const before = edge.own.requests
  const rounds = [await edge.round(200), await edge.round(200), await edge.round(200)]
  const all = rounds.flat()
  const moved = new Set(all.filter(({ by }) => by === 'neighbour').map(({ resident }) => resident))
  const control = all.filter(({ resident }) => !moved.has(resident))
  expect(moved.size).toBeGreaterThan(8)
  expect(moved.size).toBeLessThan(36)
  expect(everyOk(all)).toBe(true)
  expect(control.every(({ by }) => by === 'own')).toBe(true)
  // Nothing was sent to the node for the cohort.
  expect(edge.own.requests - before).toBe(control.length)
  const { cohort, control: counted, timeline } = edge.measured(lease)
  expect(cohort.requests).toBe(all.length - control.length)
  expect(counted.requests).toBe(control.length)
  expect([cohort.errors, counted.errors]).toEqual([0, 0])
  expect(counted.retries).toBe(0)
  expect(cohort.byLevel).toEqual({ 'neighbour 610400': cohort.requests })
  expect(counted.byLevel).toEqual({ 'local 610100': control.length })
  expect(timeline.detected).toBeDefined()
  // The cohort has found it out; the real breaker has heard of nothing.
  expect(await edge.metric('chiyuan_breaker_transitions_total', 'node="xian-1",state="open"')).toBe(0)
  expect(await edge.metric(failed, 'node="xian-1",outcome="connect-failed"')).toBe(0)
  expect(await edge.metric('chiyuan_attempts_started_total', 'node="xian-1",kind="first"')).toBe(
    edge.own.requests,
  )
})

it.each<{ fault: Fault; retried: boolean }>([
  { fault: { kind: 'refuse' }, retried: true },
  { fault: { kind: 'errors', share: 1, status: 503 }, retried: true },
  { fault: { kind: 'trip' }, retried: false },
])('$fault.kind is failed over, found out, and over when its lease is', async ({ fault, retried }) => {
  await using edge = await twoCities()
  await edge.round(20)
  const lease = await edge.begin(fault)
  const before = edge.own.requests
  const during = [...(await edge.round(20)), ...(await edge.round(20))]
  expect(during.map(({ status, by }) => [status, by])).toEqual(during.map(() => [200, 'neighbour']))
  expect(edge.own.requests).toBe(before)
  const { timeline, cohort, heard } = edge.measured(lease)
  expect(cohort.retries > 0).toBe(retried)
  // Held, nothing comes back of it, and nobody else asks it: then nobody can say.
  const [trip] = heard
  expect(heard).toHaveLength(1)
  if (retried) expect(trip?.at).toBeGreaterThanOrEqual(timeline.faultOn ?? Infinity)
  else expect(trip).toEqual({ node: 'xian-1', at: null, by: null, answers: 0, failures: 0 })
  expect(timeline.detected).toBeDefined()
  expect(timeline.firstElsewhere).toBeGreaterThanOrEqual(timeline.faultOn ?? Infinity)
  await endLease(edge.registry, lease)
  await eventually(async () => {
    await edge.round(8)
    expect(edge.rehearsals.isInForce(lease.drill)).toBe(false)
  }, 5000)
  expect((await edge.round(20)).every(({ by }) => by === 'own')).toBe(true)
  expect(edge.measured(lease).timeline.recovered).toBeDefined()
})

it('of a node that is held, the control’s requests tell when its breaker would have opened', async () => {
  await using edge = await twoCities()
  const lease = await edge.begin({ kind: 'trip' }, { cohort: 0.5 })
  const well = await edge.round(80)
  const asked = well.filter(({ by }) => by === 'own').length
  expect(edge.measured(lease).heard).toEqual([
    { node: 'xian-1', at: null, by: null, answers: asked, failures: 0 },
  ])
  edge.behaviour.status = 500
  const failedFrom = Date.now()
  await edge.round(80)
  await edge.round(80)
  const [held] = edge.measured(lease).heard
  expect(held?.by).toBe('control')
  expect(held?.at).toBeGreaterThanOrEqual(failedFrom - 5)
  expect(held?.failures).toBeGreaterThan(0)
  // The real one is fed by the same requests.
  expect(await edge.metric('chiyuan_breaker_transitions_total', 'node="xian-1",state="open"')).toBe(1)
})

it('a blackhole is found out by hedges as a frozen node is, and nothing reaches the node', async () => {
  await using edge = await twoCities({
    hedging: { enabled: true },
    attempts: { attemptTimeoutMs: 800, totalTimeoutMs: 3000 },
  })
  await edge.round(80)
  const lease = await edge.begin({ kind: 'blackhole' }, { endsAt: Date.now() + 2500 })
  const before = edge.own.requests
  const during = await edge.round(80)
  expect(during.every(({ status, by }) => status === 200 && by === 'neighbour')).toBe(true)
  expect(edge.own.requests).toBe(before)
  const { timeline, cohort, events } = edge.measured(lease)
  expect(cohort.hedges).toBeGreaterThan(0)
  expect(timeline.detected).toBeDefined()
  expect(events.some(({ what }) => what === 'stalled')).toBe(true)
  expect(await edge.metric('chiyuan_node_in_flight', 'node="xian-1",region="610100"')).toBe(0)
  // Its probes answer again when it is over, and everybody comes back.
  await eventually(async () => {
    expect((await edge.round(8)).every(({ by }) => by === 'own')).toBe(true)
    expect(edge.measured(lease).timeline.recovered).toBeDefined()
  }, 12_000)
})

it('latency delays what is really sent, and the node is not blamed for it', async () => {
  await using edge = await twoCities()
  await edge.round(40)
  const lease = await edge.begin({ kind: 'latency', ms: 120, jitterMs: 20 })
  const during = await edge.round(40)
  expect(during.every(({ status, by, ms }) => status === 200 && by === 'own' && ms > 95)).toBe(true)
  const { cohort, heard } = edge.measured(lease)
  expect(cohort.underFault.requests).toBe(40)
  expect(heard).toEqual([{ node: 'xian-1', at: null, by: null, answers: 40, failures: 0 }])
  await endLease(edge.registry, lease)
  await eventually(() => expect(edge.measured(lease).timeline.recovered).toBeDefined())
  // They had stayed, so nobody is sent away to be brought back.
  expect((await edge.round(40)).every(({ by, ms }) => by === 'own' && ms < 95)).toBe(true)
  expect(await edge.metric(failed, 'node="xian-1",outcome="answered"')).toBe(120)
  const own = await edge.gateway.gateway.measured.read()
  expect(own.nodes.find(({ node }) => node === 'xian-1')?.meanMs).toBeLessThan(60)
})

it('a deadline that passes because of the drill is nothing against the node', async () => {
  await using edge = await twoCities({ attempts: { attemptTimeoutMs: 500, totalTimeoutMs: 3000 } })
  edge.behaviour.delayMs = 250
  const lease = await edge.begin({ kind: 'latency', ms: 400, jitterMs: 0 })
  const during = await edge.round(24)
  expect(during.every(({ status, by }) => status === 200 && by === 'neighbour')).toBe(true)
  expect(edge.measured(lease).timeline.breakerOpen).toBeDefined()
  await eventually(async () =>
    expect(await edge.metric(failed, 'node="xian-1",outcome="abandoned"')).toBeGreaterThan(0),
  )
  expect(await edge.metric(failed, 'node="xian-1",outcome="timeout"')).toBe(0)
  expect(await edge.metric('chiyuan_breaker_transitions_total', 'node="xian-1",state="open"')).toBe(0)
})

it('failing probes take a node from the cohort without one failed request', async () => {
  await using edge = await twoCities()
  await edge.round(8)
  const lease = await edge.begin({ kind: 'probe-fail' })
  await eventually(() => expect(edge.measured(lease).timeline.detected).toBeDefined())
  expect((await edge.round(20)).every(({ by, status }) => by === 'neighbour' && status === 200)).toBe(true)
  expect(edge.measured(lease).cohort.retries).toBe(0)
  expect(await edge.metric('chiyuan_node_up', 'node="xian-1",region="610100"')).toBe(1)
  await endLease(edge.registry, lease)
  await eventually(async () => expect((await edge.ask(1)).by).toBe('own'), 5000)
})

it('a request that can not be repeated fails for residents as it would, and is counted', async () => {
  await using edge = await twoCities()
  const lease = await edge.begin({ kind: 'errors', share: 1, status: 500 })
  const posts = await Promise.all([1, 2, 3].map((i) => edge.ask(i, { method: 'POST', body: 'x' })))
  expect(posts.map(({ status }) => status)).toEqual([500, 500, 500])
  expect(edge.measured(lease).cohort).toMatchObject({ errors: 3, underFault: { requests: 3, errors: 3 } })
})

it('ends with its lease though nobody renews it, and though nobody can be heard', async () => {
  await using edge = await twoCities()
  const now = Date.now()
  const lease = await edge.begin({ kind: 'trip' }, { expiresAt: now + 400, endsAt: now + 60_000 })
  expect((await edge.ask(1)).by).toBe('neighbour')
  await eventually(async () => expect((await edge.ask(1)).by).toBe('own'), 3000)
  const { faultOff = 0 } = edge.measured(lease).timeline
  expect(Math.abs(faultOff - lease.expiresAt)).toBeLessThan(200)
})

it('retries of the cohort are paid by the cohort', async () => {
  await using edge = await twoCities({
    attempts: { retryBudget: 0, retryFloorPerSecond: 1 },
    breaker: { volumeThreshold: 10_000 },
  })
  const lease = await edge.begin({ kind: 'errors', share: 1, status: 500 }, { cohort: 0.5 })
  const seen = [...(await edge.round(80)), ...(await edge.round(80))]
  const failing = new Set(seen.filter(({ by }) => by !== 'own').map(({ resident }) => resident))
  // They have used up all that they had.
  expect(seen.filter(({ status }) => status === 500).length).toBeGreaterThan(20)
  const { control } = edge.measured(lease)
  expect(control.errors).toBe(0)
  const resident = Array.from({ length: 80 }, (_, i) => i).find((i) => !failing.has(i)) ?? 0
  edge.behaviour.status = 500
  expect(await edge.ask(resident)).toMatchObject({ status: 200, by: 'neighbour' })
})
