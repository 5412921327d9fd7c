// Who would take what: tables on the demo federation, and what holds for any federation.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { preview, type PreviewParts } from '../../gateway/control/preview.ts'
import { nodeId, type RegionId, regionId } from '../../gateway/model/ids.ts'
import type { Mode } from '../../gateway/model/mode.ts'
import type { NodeReadings } from '../../gateway/model/readings.ts'
import type { Lending } from '../../gateway/model/region.ts'
import { byWeight } from '../../gateway/policy/capacity.ts'
import type { Change } from '../../gateway/policy/change.ts'
import type { Forecast } from '../../gateway/policy/forecast.ts'
import { demoFederation, holdOn, shaanxi, weinan, xian, xianyang } from '../support/demo-federation.ts'
import { homeReads, nodeReads, reads } from '../support/readings.ts'
import { aNode, aRegion } from '../support/values.ts'

const homeOf: Record<string, string> = {
  'xian-1': xian,
  'xian-2': xian,
  'xianyang-1': xianyang,
  'weinan-1': weinan,
  'shaanxi-1': shaanxi,
}

interface Case {
  readonly rps?: Readonly<Record<string, number>>
  readonly lends?: Readonly<Record<string, Partial<Lending>>>
  readonly nodes?: Readonly<Record<string, Partial<NodeReadings>>>
  readonly changes?: readonly Change[]
  readonly warm?: number
}

/** Each node takes 200 a second, if nothing else is said. */
function partsOf({ rps = { [xian]: 100 }, lends = {}, nodes = {}, warm = 0 }: Case): PreviewParts {
  return {
    input: { regions: demoFederation(lends), holds: [], mode: null },
    readings: reads(
      Object.entries(homeOf).map(([id, region]) => nodeReads(id, region, nodes[id])),
      Object.entries(rps).map(([home, rate]) => homeReads(home, rate)),
    ),
    ownMode: 'peacetime',
    warmShare: () => warm,
  }
}

const whatIf = (given: Case): Forecast => preview(given.changes ?? [], partsOf(given)).after

/** `610400 40` of one home, the rest shed. */
function told({ homes }: Forecast, home: RegionId = xian): string {
  const found = homes.find((one) => one.home === home)
  const levels = found?.byLevel.map(({ region, rps }) => `${region} ${Math.round(rps * 100) / 100}`) ?? []
  return [...levels, `shed ${Math.round((found?.shedRps ?? 0) * 100) / 100}`].join(', ')
}

const tripXian: readonly Change[] = [{ hold: holdOn('610100') }]

describe('the demo federation', () => {
  it.each<Case & { name: string; expected: string }>([
    { name: 'serves at home', expected: '610100 100, shed 0' },
    { name: 'spills what home can’t take', rps: { [xian]: 450 }, expected: '610100 400, 610400 50, shed 0' },
    {
      name: 'goes to the first neighbour when home is tripped',
      changes: tripXian,
      expected: '610400 100, shed 0',
    },
    {
      name: 'takes no more than a neighbour pledged a second',
      changes: tripXian,
      lends: { [xianyang]: { limitRps: 30 } },
      expected: '610400 30, 610500 70, shed 0',
    },
    {
      name: 'takes no more than a neighbour pledged at once: 2 open at 50 ms are 40 a second',
      changes: tripXian,
      lends: { [xianyang]: { limitConcurrent: 2 } },
      expected: '610400 40, 610500 60, shed 0',
    },
    {
      name: 'leaves a donor what it reserved: half of 200, of which its own take 60',
      changes: tripXian,
      rps: { [xian]: 100, [xianyang]: 60 },
      lends: { [xianyang]: { homeReserve: 0.5 } },
      expected: '610400 40, 610500 60, shed 0',
    },
    {
      name: 'takes nothing of a donor that keeps everything',
      changes: tripXian,
      lends: { [xianyang]: { homeReserve: 1 } },
      expected: '610500 100, shed 0',
    },
    {
      name: 'passes over a region whose node is down',
      changes: tripXian,
      nodes: { 'xianyang-1': { health: 'down' } },
      expected: '610500 100, shed 0',
    },
    {
      name: 'sends residents to a node that is down but bypassed',
      changes: [...tripXian, { hold: holdOn('xianyang-1', 'bypass') }],
      nodes: { 'xianyang-1': { health: 'down' } },
      expected: '610400 100, shed 0',
    },
    {
      name: 'sheds what nobody has room for',
      changes: tripXian,
      rps: { [xian]: 1000 },
      expected: '610400 200, 610500 200, 610000 200, shed 400',
    },
    {
      name: 'sheds everything when everybody is held',
      changes: ['610100', '610400', '610500', '610000'].map((code) => ({ hold: holdOn(code) })),
      expected: 'shed 100',
    },
    { name: 'keeps donors warm', warm: 0.05, expected: '610100 95, 610400 5, shed 0' },
    {
      name: 'keeps at home what a donor that is to be warmed has no room for',
      warm: 0.05,
      lends: { [xianyang]: { limitRps: 2 } },
      expected: '610100 98, 610400 2, shed 0',
    },
    {
      name: 'goes without a removed node',
      changes: [{ removeNode: nodeId('xian-1') }],
      rps: { [xian]: 250 },
      expected: '610100 200, 610400 50, shed 0',
    },
  ])('$name', ({ expected, ...given }) => {
    expect(told(whatIf(given))).toBe(expected)
  })

  it('divides a donor that two homes need in proportion to what they need', () => {
    const after = whatIf({
      changes: [{ hold: holdOn('610100') }, { hold: holdOn('610500') }, { hold: holdOn('610400') }],
      rps: { [xian]: 300, [weinan]: 100 },
    })
    expect(told(after, xian)).toBe('610000 150, shed 150')
    expect(told(after, weinan)).toBe('610000 50, shed 50')
    // However long the way: Xi'an's come past two donors, Weinan's past none.
  })

  it('sheds the least important first', () => {
    const parts = partsOf({ rps: { [xian]: 1000 } })
    const classShares = { critical: 0.2, important: 0.5, deferrable: 0.3 }
    const [home] = preview(tripXian, { ...parts, classShares }).after.homes
    expect(home?.shedByClass).toEqual({ critical: 0, important: 100, deferrable: 300 })
  })

  it('says what it can’t know: a region that nobody has measured takes what comes', () => {
    const after = whatIf({
      changes: tripXian,
      rps: { [xian]: 5000 },
      nodes: { 'xianyang-1': { knownLimit: null, limitBasis: 'unproven' } },
    })
    expect(told(after)).toBe('610400 5000, shed 0')
    expect(after.unknownCapacity).toEqual(['xianyang-1'])
    expect(after.totals.capacityRps).toBeNull()
    expect(after.regions.find(({ region }) => region === xianyang)).toMatchObject({
      capacityRps: null,
      utilisation: null,
    })
  })

  it('goes by the latency at ease where there was no answer of late', () => {
    const idle = { 'xianyang-1': { meanMs: null, easeMs: 100 } }
    expect(told(whatIf({ changes: tripXian, nodes: idle }))).toBe('610400 100, shed 0')
    expect(told(whatIf({ changes: tripXian, nodes: idle, rps: { [xian]: 120 } }))).toBe(
      '610400 100, 610500 20, shed 0',
    )
  })

  it('tells what differs, and nothing else', () => {
    const { differences } = preview(tripXian, partsOf({ rps: { [xian]: 100, [weinan]: 10 } }))
    expect(differences).toEqual({
      homes: [
        {
          home: xian,
          levels: [
            { name: 'local 610100', before: 100, after: 0 },
            { name: 'neighbour 610400', before: 0, after: 100 },
          ],
          shed: null,
        },
      ],
      regions: [
        { name: xian, before: 100, after: 0 },
        { name: xianyang, before: 0, after: 100 },
      ],
      nodes: [
        { name: 'xian-1', before: 50, after: 0 },
        { name: 'xian-2', before: 50, after: 0 },
        { name: 'xianyang-1', before: 0, after: 100 },
      ],
    })
  })

  it('brings in a donor on paper, and takes it out again', () => {
    const tongchuan = regionId('610200')
    const donor = aRegion(tongchuan, { nodes: [aNode('tongchuan-1', { region: tongchuan })] })
    const [home, ...others] = demoFederation()
    const helped = { ...aRegion(xian), ...home, neighbours: [tongchuan, xianyang, weinan] }
    const enrolled = [helped, ...others, donor]
    const parts = partsOf({})
    const active = preview([...tripXian, { regions: enrolled }], parts).after
    expect(told(active)).toBe('610200 100, shed 0')
    // Nobody has measured it yet.
    expect(active.unknownCapacity).toEqual(['tongchuan-1'])
    const later = { ...parts, input: { ...parts.input, regions: enrolled } }
    expect(told(preview([...tripXian, { regions: demoFederation() }], later).after)).toBe(
      '610400 100, shed 0',
    )
  })

  it('changes the mode on paper: the emergency keeps donors warm', () => {
    const parts = { ...partsOf({}), warmShare: (mode: Mode) => (mode === 'emergency' ? 0.1 : 0) }
    expect(told(preview([{ mode: 'emergency' }], parts).after)).toBe('610100 90, 610400 10, shed 0')
    expect(told(preview([{ mode: null }], parts).after)).toBe('610100 100, shed 0')
  })

  it('ends a hold on paper only', () => {
    const parts = partsOf({})
    const held = { ...parts, input: { ...parts.input, holds: [holdOn('610100')] } }
    expect(told(preview([], held).after)).toBe('610400 100, shed 0')
    expect(told(preview([{ endHold: 'hold-610100' }], held).after)).toBe('610100 100, shed 0')
    expect(held.input.holds).toHaveLength(1)
  })
})

it('a region’s requests go to its nodes by weight, and past one that is full', () => {
  const node = (weight: number, rps: number | null, serves = true) => ({ weight, rps, serves })
  expect(byWeight(90, [node(1, null), node(2, null)])).toEqual([30, 60])
  expect(byWeight(90, [node(1, 10), node(1, 20), node(1, null)])).toEqual([10, 20, 60])
  expect(byWeight(90, [node(1, null, false), node(1, null)])).toEqual([0, 90])
  expect(byWeight(90, [node(1, null, false)])).toEqual([0])
})

const rate = fc.constantFrom(0, 5, 60, 250, 900)
const anyLending: fc.Arbitrary<Lending> = fc.record({
  limitRps: fc.constantFrom(0, 20, 150, Infinity),
  limitConcurrent: fc.constantFrom(0, 3, Infinity),
  homeReserve: fc.constantFrom(0, 0.3, 1),
})
const anyNode: fc.Arbitrary<Partial<NodeReadings>> = fc.record({
  health: fc.constantFrom('up' as const, 'up' as const, 'down' as const),
  knownLimit: fc.constantFrom(null, 1, 10, 40),
  meanMs: fc.constantFrom(null, 20, 200),
  easeMs: fc.constantFrom(null, 15),
})
const anyCase = fc.record({
  rps: fc.record({ [xian]: rate, [xianyang]: rate, [weinan]: rate, [shaanxi]: rate }),
  lends: fc.record({
    [xian]: anyLending,
    [xianyang]: anyLending,
    [weinan]: anyLending,
    [shaanxi]: anyLending,
  }),
  nodes: fc.record(Object.fromEntries(Object.keys(homeOf).map((id) => [id, anyNode]))),
  warm: fc.constantFrom(0, 0.02, 0.2),
})
const held = fc.constantFrom(...Object.keys(homeOf), '610100', '610400')

describe('whatever the federation', () => {
  it('every request is served once or shed, and each node’s part adds up', () => {
    fc.assert(
      fc.property(anyCase, fc.array(held, { maxLength: 3 }), (given, holds) => {
        const after = whatIf({ ...given, changes: holds.map((what) => ({ hold: holdOn(what) })) })
        for (const home of after.homes) {
          const served = home.byLevel.reduce((sum, { rps }) => sum + rps, 0)
          expect(served + home.shedRps).toBeCloseTo(home.rps, 6)
          expect(home.shedRps).toBeGreaterThanOrEqual(0)
        }
        const byNodes = after.nodes.reduce((sum, { rps }) => sum + rps, 0)
        expect(byNodes).toBeCloseTo(after.totals.servedRps, 6)
        const byRegions = after.regions.reduce(
          (sum, { ownRps, borrowedRps }) => sum + ownRps + borrowedRps,
          0,
        )
        expect(byRegions).toBeCloseTo(after.totals.servedRps, 6)
      }),
    )
  })

  it('nobody takes more than it can or lends more than it pledged', () => {
    fc.assert(
      fc.property(anyCase, held, (given, what) => {
        const after = whatIf({ ...given, changes: [{ hold: holdOn(what) }] })
        for (const { region, ownRps, borrowedRps, capacityRps } of after.regions) {
          const { limitRps, homeReserve } = given.lends[region] ?? { limitRps: 0, homeReserve: 0 }
          expect(borrowedRps).toBeLessThanOrEqual(limitRps + 1e-6)
          if (homeReserve === 1) expect(borrowedRps).toBe(0)
          if (capacityRps !== null) expect(ownRps + borrowedRps).toBeLessThanOrEqual(capacityRps + 1e-6)
        }
        for (const { rps, capacityRps, serves } of after.nodes) {
          if (!serves) expect(rps).toBe(0)
          if (capacityRps !== null) expect(rps).toBeLessThanOrEqual(capacityRps + 1e-6)
        }
      }),
    )
  })

  it('a trip or a drain takes all from the held node and adds to the shed', () => {
    fc.assert(
      fc.property(anyCase, held, fc.constantFrom('trip' as const, 'drain' as const), (given, what, kind) => {
        const { before, after } = preview([{ hold: holdOn(what, kind) }], partsOf(given))
        for (const { node, region, rps } of after.nodes) {
          if (node === what || region === what) expect(rps).toBe(0)
        }
        // Of a donor that counts open requests the loss of a slow node makes its places turn faster.
        if (Object.values(given.lends).some(({ limitConcurrent }) => limitConcurrent === 3)) return
        expect(after.totals.shedRps).toBeGreaterThanOrEqual(before.totals.shedRps - 1e-6)
      }),
    )
  })
})
