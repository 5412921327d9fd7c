// Every fault against real processes: what its report says is what residents saw, by a client that knows nothing of drills.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { drillReportSchema } from '../../gateway/control/drills/report-record.ts'
import type { DrillReport } from '../../gateway/policy/drill-report.ts'
import { askAway, DrillOperator, type Seen } from '../support/drill-client.ts'
import { eventually } from '../support/eventually.ts'
import { type KilledGateway, startKilledGateway } from '../support/killed-gateway.ts'
import { type NamedNodes, startNamedNodes } from '../support/named-nodes.ts'

interface Shown {
  readonly home: string
  readonly fault: { kind: string; ms?: number; jitterMs?: number; share?: number; status?: number }
  readonly levels: readonly string[]
}

// A home each, so that all are on at once. 610700 has no node of its own but lives on its neighbour.
const faults: readonly Shown[] = [
  { home: '610100', fault: { kind: 'trip' }, levels: ['local'] },
  { home: '610200', fault: { kind: 'blackhole' }, levels: ['local'] },
  { home: '610300', fault: { kind: 'refuse' }, levels: ['local'] },
  { home: '610400', fault: { kind: 'latency', ms: 120, jitterMs: 20 }, levels: ['local'] },
  { home: '610500', fault: { kind: 'errors', share: 1, status: 503 }, levels: ['local'] },
  { home: '610600', fault: { kind: 'probe-fail' }, levels: ['local'] },
  { home: '610700', fault: { kind: 'quota-cut', share: 0 }, levels: ['neighbour'] },
]
const isSeen = ({ kind }: Shown['fault']): boolean => kind === 'errors' || kind === 'blackhole'
/** Whoever is sent there fails, so that a breaker would open by itself. */
const fails = new Set(['blackhole', 'refuse', 'errors', 'probe-fail'])
const seconds = 3
const withinMs = 200
const madeSchema = z.looseObject({ id: z.string(), state: z.string() })

let nodes: NamedNodes
let gateway: KilledGateway
let lead: DrillOperator
let wang: DrillOperator

const draft = async (home: string, fault: object, levels: readonly string[], more: object = {}) => {
  const plan = {
    name: `${home} drilled`,
    reason: 'a test',
    scope: { homes: [home], levels },
    fault,
    cohort: 0.5,
    seconds,
    stop: { errorShare: 1 },
    ...more,
  }
  const made = await lead.post('/drills', plan)
  expect([made.status, made.text]).toEqual([201, expect.stringContaining('"draft"')])
  const { id } = madeSchema.parse(made.body)
  expect((await lead.post(`/drills/${id}/preview`)).status).toBe(200)
  return id
}
const begin = (id: string) => lead.post(`/drills/${id}/start`, { reason: 'now', override: true })
const ended = (id: string, wanted: string) =>
  eventually(
    async () =>
      expect(madeSchema.parse((await lead.get(`/drills/${id}`)).body)).toMatchObject({ state: wanted }),
    20_000,
  )
const reportOf = async (id: string): Promise<DrillReport> =>
  drillReportSchema.parse((await lead.get(`/drills/${id}/report`)).body)

beforeAll(async () => {
  const own = faults.filter(({ home }) => home !== '610700').map(({ home }) => home)
  nodes = await startNamedNodes([...own, 'neighbour', 'lender', 'province'])
  gateway = await startKilledGateway(
    [
      ...own.map((code) => ({ code, neighbours: ['610800'], nodes: { [`city-${code}`]: nodes.url(code) } })),
      { code: '610700', neighbours: ['610900'], nodes: {} },
      { code: '610800', nodes: { neighbour: nodes.url('neighbour') } },
      { code: '610900', nodes: { lender: nodes.url('lender') } },
      { code: '610000', tier: 'province', nodes: { province: nodes.url('province') } },
    ],
    1,
    { home: { header: 'x-home' }, attempts: { attemptTimeoutMs: 400, totalTimeoutMs: 3000 } },
  )
  lead = new DrillOperator(gateway.adminUrl, gateway.token)
  wang = await lead.another('Wang', 'approver')
})

afterAll(async () => {
  await gateway[Symbol.asyncDispose]()
  await nodes[Symbol.asyncDispose]()
})

const near = (found: number | undefined, wanted: number): void =>
  expect(Math.abs((found ?? 0) - wanted)).toBeLessThan(withinMs)

describe('seven faults at once, each upon half the residents of its home', () => {
  const reports = new Map<string, DrillReport>()
  const seen = new Map<string, readonly Seen[]>()

  beforeAll(async () => {
    const ids = new Map<string, string>()
    for (const { home, fault, levels } of faults) {
      const id = await draft(home, fault, levels)
      expect((await wang.post(`/drills/${id}/approve`)).status).toBe(200)
      ids.set(home, id)
    }
    const crowds = faults.map(({ home, fault }) => ({
      home,
      // Where somebody is to see it fail, nobody sends what could be sent again.
      residents: askAway(gateway.url, 48, isSeen(fault) ? 1 : 8, {
        atOnce: 2,
        pauseMs: 20,
        headers: { 'x-home': home },
      }),
    }))
    for (const id of ids.values()) {
      const { status, text } = await begin(id)
      expect([status, text]).toEqual([200, expect.stringContaining('running')])
    }
    // Of one home there is one at a time, whoever overrules what.
    const second = await draft('610300', { kind: 'trip' }, ['local'], { cohort: 0.1 })
    expect(await begin(second)).toMatchObject({ status: 409, text: expect.stringContaining('home-busy') })
    for (const id of ids.values()) await ended(id, 'reported')
    for (const { home, residents } of crowds) {
      await residents.stop()
      seen.set(home, residents.seen)
    }
    for (const [home, id] of ids) reports.set(home, await reportOf(id))
  }, 90_000)

  it.each(faults)('$fault.kind', ({ home, fault }) => {
    const report = reports.get(home)
    const saw = seen.get(home) ?? []
    if (report === undefined) throw new Error('no report')
    const { timeline, cohort, control, run, verdict, times, audit, wouldHaveTripped } = report
    const { faultOn = 0, faultOff = 0, firstElsewhere, firstHome, recovered = 0 } = timeline
    const usual = home === '610700' ? 'lender' : home
    const other = home === '610700' ? 'province' : 'neighbour'
    expect([run.ending, verdict]).toEqual(['time', 'passed'])
    near(faultOff - faultOn, seconds * 1000)
    expect(audit.map(({ action }) => action)).toEqual(
      ['create', 'preview', 'approve', 'start', 'end'].map((step) => `drill.${step}`),
    )
    const [trip] = wouldHaveTripped
    if (fails.has(fault.kind)) expect(trip?.at).toBeGreaterThanOrEqual(faultOn)
    else expect(trip?.at ?? null).toBeNull()

    // Errors: to the last one.
    const errors = saw.filter(({ status }) => status >= 500)
    expect(cohort.errors + control.errors).toBe(errors.length)
    expect(errors.length > 0).toBe(isSeen(fault))
    // The control was left alone: nobody of it moved, failed, or was tried twice.
    expect(control).toMatchObject({ errors: 0, retries: 0, hedges: 0 })
    expect(control.byLevel).toHaveLength(1)
    const during = saw.filter(({ at, ms }) => at - ms > faultOn + 20 && at < faultOff - 20)
    const touched = new Set(
      saw.filter(({ by, status }) => by === other || status >= 500).map(({ resident }) => resident),
    )
    if (fault.kind === 'latency') {
      expect(cohort.underFault.p50Ms).toBeGreaterThan(90)
      expect(control.underFault.p50Ms).toBeLessThan(90)
      expect(during.filter(({ ms }) => ms > 95).length / during.length).toBeGreaterThan(0.2)
      return
    }
    expect(touched.size).toBeGreaterThan(8)
    expect(touched.size).toBeLessThan(40)
    expect(during.filter(({ resident, by }) => !touched.has(resident) && by !== usual)).toEqual([])
    const ofCohort = during.filter(({ resident }) => touched.has(resident)).length
    expect(Math.abs(cohort.underFault.requests - ofCohort)).toBeLessThan(16)

    // Times: as the client's clock has them.
    const elsewhere = saw.filter(({ by }) => by === other).map(({ at }) => at)
    near(firstElsewhere, Math.min(...elsewhere))
    expect(times.firstElsewhereMs).toBe(Math.round((firstElsewhere ?? 0) - faultOn))
    const backHome = saw.filter(
      ({ resident, by, at }) => touched.has(resident) && by === usual && at > faultOff,
    )
    const firstBack = Math.min(...backHome.map(({ at }) => at))
    // A quota is whole again at once: there the drill is over before anybody has come home.
    if (fault.kind === 'quota-cut') expect(firstBack).toBeGreaterThan(faultOff - 5)
    // Nor where nobody of the few asked while it was ramped.
    else if (firstHome === undefined) expect(firstBack).toBeGreaterThan(recovered - withinMs)
    else near(firstHome, firstBack)
    expect(Math.max(...elsewhere)).toBeLessThan(recovered + withinMs)
    if (fault.kind === 'errors')
      near(timeline.shifted ?? timeline.detected, Math.max(...errors.map(({ at }) => at)))
    expect(report.donors.map(({ region }) => region)).toContain(home === '610700' ? '610000' : '610800')
  })
})

it.each(['trip', 'refuse', 'blackhole', 'probe-fail', 'errors'])(
  '%s that would leave nobody is refused with the numbers, whoever overrules it',
  async (kind) => {
    const fault = kind === 'errors' ? { kind, share: 1, status: 503 } : { kind }
    const id = await draft('610200', fault, ['local', 'neighbour', 'province'])
    expect((await wang.post(`/drills/${id}/approve`)).status).toBe(200)
    await using _residents = askAway(gateway.url, 20, Infinity, {
      atOnce: 1,
      headers: { 'x-home': '610200' },
    })
    await eventually(async () => {
      const answer = await begin(id)
      expect(answer).toMatchObject({ status: 409, text: expect.stringContaining('nobody-left') })
      expect(answer.body).toMatchObject({
        objections: expect.arrayContaining([
          expect.objectContaining({ name: 'nobody-left', isHard: true, home: '610200', found: 0 }),
        ]),
      })
    }, 15_000)
  },
)

it('registry-loss: what is decided meanwhile comes into force when it is over, and residents notice nothing', async () => {
  const id = await draft('610100', { kind: 'registry-loss' }, [], { seconds: 2 })
  expect((await wang.post(`/drills/${id}/approve`)).status).toBe(200)
  await using residents = askAway(gateway.url, 48, 8, {
    atOnce: 2,
    pauseMs: 20,
    headers: { 'x-home': '610100' },
  })
  expect((await begin(id)).status).toBe(200)
  await ended(id, 'reported')
  await residents.stop()
  const { run, timeline, cohort, control } = await reportOf(id)
  expect(run.ending).toBe('time')
  near((timeline.faultOff ?? 0) - (timeline.faultOn ?? 0), 2000)
  expect(residents.seen.every(({ status, by }) => status === 200 && by === '610100')).toBe(true)
  expect(cohort.errors + control.errors).toBe(0)
}, 30_000)
