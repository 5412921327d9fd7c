// What speaks against a drill, how far it reaches, when it ends before its time, and when it begins.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { snapshotOf } from '../../gateway/control/directory.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import {
  blastRadius,
  drillDefaults,
  type DrillFacts,
  needsApproval,
  objectionsTo,
  type PlanWarning,
  planWarnings,
} from '../../gateway/policy/drill-guards.ts'
import { MeasuresInTheMaking } from '../../gateway/policy/drill-measure.ts'
import { dateOf, nextStart, overlapping } from '../../gateway/policy/drill-schedule.ts'
import { cohortSeed, isInCohort, targetsOf } from '../../gateway/policy/drill-scope.ts'
import { failedMeanwhile, stopFor } from '../../gateway/policy/drill-stop.ts'
import { demoFederation, shaanxi, xian, xianyang } from '../support/demo-federation.ts'
import { aDrill, aLease, aPlan } from '../support/drills.ts'
import { nodeReads } from '../support/readings.ts'

const snapshot = snapshotOf(1, demoFederation(), { holds: [], mode: null })
const traffic = new Map([
  [xian, 90],
  [xianyang, 10],
])

const home = (code: string) => {
  const found = snapshot.homes.get(code)
  if (found === undefined) throw new Error(`no home ${code}`)
  return found
}

describe('scope', () => {
  it.each([
    { scope: { regions: [], nodes: [], levels: ['local' as const] }, nodes: ['xian-1', 'xian-2'] },
    { scope: { regions: [xianyang], nodes: [], levels: [] }, nodes: ['xianyang-1'] },
    {
      scope: { regions: [], nodes: [nodeId('xian-2')], levels: ['province' as const] },
      nodes: ['xian-2', 'shaanxi-1'],
    },
    { scope: { regions: [regionId('620100')], nodes: [nodeId('nobody')], levels: [] }, nodes: [] },
  ])('$scope reaches $nodes', ({ scope, nodes }) => {
    expect(targetsOf(scope, home(xian)).map(({ id }) => id)).toEqual(nodes)
  })

  it('takes its share of residents, the same each time, others for another drill', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.02, max: 1, noNaN: true }), fc.string(), (share, drill) => {
        const seed = cohortSeed(drill)
        const keys = Array.from({ length: 4000 }, (_, i) => Math.imul(i, 2_654_435_761) >>> 0)
        const taken = keys.filter((key) => isInCohort(key, seed, share))
        expect(Math.abs(taken.length / keys.length - share)).toBeLessThan(0.05)
        expect(taken.every((key) => isInCohort(key, seed, Math.min(1, share * 1.5)))).toBe(true)
      }),
      { numRuns: 30 },
    )
    const both = Array.from({ length: 4000 }, (_, i) => i).filter(
      (key) => isInCohort(key, cohortSeed('a'), 0.1) && isInCohort(key, cohortSeed('b'), 0.1),
    )
    expect(both.length).toBeLessThan(120)
  })
})

const facts = (changes: Partial<DrillFacts> = {}): DrillFacts => ({
  now: 10_000_000,
  mode: 'peacetime',
  isLeverSet: false,
  isMeasured: true,
  snapshot,
  nodes: [nodeReads('xian-1'), nodeReads('xian-2'), nodeReads('xianyang-1', xianyang)],
  radius: blastRadius(aPlan(), snapshot, traffic),
  guards: [],
  others: [],
  settings: drillDefaults,
  ...changes,
})
const named = (changes: Partial<DrillFacts>, plan = aPlan()) =>
  objectionsTo(
    { ...plan, id: 'd1' },
    facts({ radius: blastRadius(plan, snapshot, traffic), ...changes }),
  ).map(({ name, isHard }) => `${name}${isHard ? '!' : ''}`)
const ended = (endedAt: number, id = 'd0') =>
  aDrill({
    id,
    state: 'reported',
    run: { startedAt: 1, faultAt: 1, endsAt: 2, overruled: [], endedAt, ending: 'time', detail: '' },
  })
const guard = (
  name: 'nobody-left' | 'sheds' | 'donor-full',
  severity: 'object' | 'warn',
  isHard = false,
) => ({
  guard: name,
  severity,
  isHard,
  home: xian,
  region: null,
  nodes: [],
  found: 0,
  bound: 2,
})

describe('before it begins', () => {
  it.each<{ name: string; changes: Partial<DrillFacts>; plan?: ReturnType<typeof aPlan>; found: string[] }>([
    { name: 'nothing', changes: {}, found: [] },
    { name: 'the lever', changes: { isLeverSet: true }, found: ['lever!'] },
    { name: 'no measures', changes: { isMeasured: false }, found: ['not-measured!'] },
    {
      name: 'another drill of that home',
      changes: { snapshot: { ...snapshot, drills: [aLease({ kind: 'trip' })] } },
      found: ['home-busy!'],
    },
    {
      name: 'no such home',
      changes: {},
      plan: aPlan({ scope: { ...aPlan().scope, homes: [regionId('990000')] } }),
      found: ['unknown-home!'],
    },
    {
      name: 'no node in scope',
      changes: {},
      plan: aPlan({ scope: { ...aPlan().scope, levels: ['nation'] } }),
      found: ['nothing-in-scope!'],
    },
    { name: 'emergency', changes: { mode: 'emergency' }, found: ['emergency'] },
    {
      name: 'a node that fails already',
      changes: { nodes: [nodeReads('xianyang-1', xianyang, { health: 'down' })] },
      found: ['incident'],
    },
    { name: 'one just before', changes: { others: [ended(9_900_000)] }, found: ['wait-period'] },
    { name: 'one long ago', changes: { others: [ended(9_000_000)] }, found: [] },
    {
      name: 'one just before, where the file asks for no pause',
      changes: { others: [ended(9_900_000)], settings: { ...drillDefaults, waitMs: 0 } },
      found: [],
    },
    { name: 'its own last run', changes: { others: [ended(9_900_000, 'd1')] }, found: [] },
    {
      name: 'the preview, hard objections first',
      changes: {
        guards: [guard('sheds', 'object'), guard('nobody-left', 'object', true), guard('donor-full', 'warn')],
      },
      found: ['nobody-left!', 'sheds'],
    },
  ])('$name', ({ changes, plan, found }) => expect(named(changes, plan)).toEqual(found))

  it.each([
    {
      name: 'one resident in twenty of a small part',
      plan: aPlan({ scope: { ...aPlan().scope, homes: [xianyang] } }),
      needs: false,
    },
    {
      name: 'a cohort above a tenth',
      plan: aPlan({ cohort: 0.2, scope: { ...aPlan().scope, homes: [xianyang] } }),
      needs: true,
    },
    {
      name: 'two homes',
      plan: aPlan({ cohort: 0.01, scope: { ...aPlan().scope, homes: [xian, xianyang] } }),
      needs: true,
    },
    { name: 'much of all traffic', plan: aPlan({ cohort: 0.09 }), needs: true },
    { name: 'a lost registry', plan: aPlan({ cohort: 0.01, fault: { kind: 'registry-loss' } }), needs: true },
  ])('$name needs another’s approval: $needs', ({ plan, needs }) => {
    expect(needsApproval(plan, blastRadius(plan, snapshot, traffic))).toBe(needs)
  })

  it.each<{ plan: Parameters<typeof aPlan>[0]; hasBounds?: boolean; warnings: PlanWarning[] }>([
    { plan: {}, warnings: [] },
    { plan: { objectives: { ...aPlan().objectives, recoverMs: 12_000 } }, warnings: ['recovers-slower'] },
    {
      plan: { fault: { kind: 'probe-fail' }, objectives: { ...aPlan().objectives, detectMs: 100 } },
      warnings: ['detects-slower'],
    },
    {
      plan: {
        fault: { kind: 'latency', ms: 9, jitterMs: 0 },
        objectives: { ...aPlan().objectives, detectMs: 100 },
      },
      warnings: ['never-found', 'foreseen-slower'],
    },
    {
      plan: {
        fault: { kind: 'latency', ms: 5000, jitterMs: 0 },
        objectives: { ...aPlan().objectives, detectMs: 100 },
      },
      warnings: ['foreseen-gone'],
    },
    { plan: { fault: { kind: 'errors', share: 0.2, status: 503 } }, warnings: ['foreseen-retried'] },
    { plan: { fault: { kind: 'errors', share: 0.3, status: 503 } }, warnings: ['foreseen-gone'] },
    { plan: { fault: { kind: 'registry-loss' } }, warnings: ['foreseen-unmoved'] },
    { plan: { fault: { kind: 'quota-cut', share: 0.5 } }, warnings: ['nothing-to-cut'] },
    { plan: { fault: { kind: 'quota-cut', share: 0 } }, warnings: [] },
    { plan: { fault: { kind: 'quota-cut', share: 1 } }, hasBounds: true, warnings: ['nothing-to-cut'] },
    { plan: { fault: { kind: 'quota-cut', share: 0.5 } }, hasBounds: true, warnings: [] },
  ])('warns of $plan, bounded $hasBounds: $warnings', ({ plan, hasBounds = false, warnings }) => {
    const bounds = { attemptTimeoutMs: 5000, breakerOpensAbove: 0.25 }
    const paces = { breakerWaitMs: 6000, slowStartMs: 10_000, probesFindMs: 3000 }
    expect(planWarnings(aPlan(plan), paces, hasBounds, bounds)).toEqual(warnings)
  })
})

const measured = (cohort: [number, number, number], control: [number, number, number]) => {
  const made = new MeasuresInTheMaking(0)
  for (const [group, [requests, errors, ms]] of [
    [made.cohort, cohort],
    [made.control, control],
  ] as const) {
    for (let i = 0; i < requests; i++) group.ended('local', i < errors ? 'unavailable' : 'ok', ms, 5000, true)
  }
  return made.read(6000)
}

describe('it is ended', () => {
  const stop = { errorShare: 0.05, addedP99Ms: 100 }
  it.each([
    { name: 'by errors beyond the control’s', cohort: [100, 8, 1], control: [900, 9, 1], ending: 'errors' },
    {
      name: 'not by errors that the control has too',
      cohort: [100, 8, 1],
      control: [900, 72, 1],
      ending: undefined,
    },
    { name: 'not by four errors', cohort: [10, 4, 1], control: [900, 0, 1], ending: undefined },
    { name: 'by longer answers', cohort: [100, 0, 300], control: [900, 0, 20], ending: 'latency' },
    { name: 'not by what all wait for', cohort: [100, 0, 300], control: [900, 0, 290], ending: undefined },
    {
      name: 'without a control, by what was usual before',
      cohort: [100, 0, 300],
      control: [0, 0, 0],
      ending: 'latency',
    },
  ] satisfies {
    name: string
    cohort: [number, number, number]
    control: [number, number, number]
    ending: string | undefined
  }[])('$name', ({ cohort, control, ending }) => {
    expect(stopFor(measured(cohort, control), stop, 20)?.ending).toBe(ending)
  })

  it('only by what happened in the last ten seconds', () => {
    const made = new MeasuresInTheMaking(0)
    for (let i = 0; i < 50; i++) made.cohort.ended('local', 'unavailable', 1, 1000, true)
    expect(stopFor(made.read(5000), stop, null)?.ending).toBe('errors')
    expect(stopFor(made.read(12_500), stop, null)).toBeNull()
  })

  it.each([
    { slow: [2], ending: undefined },
    { slow: [2, 3], ending: undefined },
    { slow: [2, 4, 7], ending: 'latency' },
  ])('by answers of few residents that were slow in the seconds $slow: $ending', ({ slow, ending }) => {
    const made = new MeasuresInTheMaking(0)
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 5; i++) {
        const ms = i === 0 && slow.includes(second) ? 900 : 10
        made.cohort.ended('local', 'ok', ms, second * 1000, true)
      }
      for (let i = 0; i < 90; i++) made.control.ended('local', 'ok', 10, second * 1000, true)
    }
    expect(stopFor(made.read(9500), stop, null)?.ending).toBe(ending)
  })

  it('by errors of few residents, however seldom they come', () => {
    const made = new MeasuresInTheMaking(0)
    // One in four seconds: never five within ten.
    for (let i = 0; i < 5; i++) {
      expect(stopFor(made.read(4000 * i), stop, null)).toBeNull()
      made.cohort.ended('none', 'unavailable', 1, 4000 * i, true)
      for (let j = 0; j < 40; j++) made.control.ended('local', 'ok', 1, 4000 * i, true)
    }
    expect(stopFor(made.read(16_500), stop, null)?.ending).toBe('errors')
  })

  it('not by errors of few that the control has too', () => {
    const made = new MeasuresInTheMaking(0)
    for (let i = 0; i < 10; i++) {
      made.cohort.ended('none', 'unavailable', 1, 4000 * i, true)
      made.control.ended('none', 'unavailable', 1, 4000 * i, true)
    }
    expect(stopFor(made.read(40_000), stop, null)).toBeNull()
  })

  it('by a node that fails by itself, not by one that failed before or that operators hold', () => {
    const watched = new Set([nodeId('xian-1'), nodeId('xianyang-1')])
    const before = [
      nodeReads('xian-1', xian, { health: 'down' }),
      nodeReads('xianyang-1', xianyang),
      nodeReads('other', shaanxi),
    ]
    const now = (changes: object) =>
      [
        before[0],
        nodeReads('xianyang-1', xianyang, changes),
        nodeReads('other', shaanxi, { health: 'down' }),
      ].filter((one) => one !== undefined)
    expect(failedMeanwhile(watched, before, now({}))).toBeNull()
    expect(failedMeanwhile(watched, before, now({ hold: 'trip' }))).toBeNull()
    expect(failedMeanwhile(watched, before, now({ breaker: 'open' }))).toEqual({
      ending: 'failed',
      detail: 'xianyang-1',
    })
  })
})

describe('it begins', () => {
  const at = (text: string): number => Date.parse(`${text}+08:00`)
  const mondays = {
    kind: 'weekly' as const,
    windows: [{ weekday: 1, from: 120, to: 180 }],
    blocked: ['2026-11-30'],
  }
  it.each([
    { name: 'at the next window', from: '2026-11-21T12:00:00', next: '2026-11-23T02:00:00' },
    { name: 'at once inside a window', from: '2026-11-23T02:30:00', next: '2026-11-23T02:30:00' },
    { name: 'not on a blocked date', from: '2026-11-23T03:00:00', next: '2026-12-07T02:00:00' },
  ])('$name', ({ from, next }) => expect(nextStart(mondays, at(from))).toBe(at(next)))

  it('never, where all dates are past or blocked', () => {
    expect(nextStart({ kind: 'once', at: 5 }, 6)).toBeNull()
    expect(nextStart({ kind: 'once', at: 7 }, 6)).toBe(7)
    expect(nextStart({ ...mondays, windows: [] }, 0)).toBeNull()
  })

  it('knows the calendar as Date does, and windows that overlap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60_000 }), (day) => {
        expect(dateOf(day)).toBe(new Date(day * 86_400_000).toISOString().slice(0, 10))
      }),
    )
    const window = (weekday: number, from: number, to: number) => ({ weekday, from, to })
    expect(overlapping([window(1, 0, 60), window(1, 60, 90), window(2, 30, 90)])).toBe(false)
    expect(overlapping([window(1, 0, 61), window(1, 60, 90)])).toBe(true)
  })
})
