// What enrolments make of the federation: donors come in step by step, go by draining, and never break what the file says.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Enrolment, EnrolmentTerms } from '../../gateway/model/enrolment.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import { snapshotOf } from '../../gateway/control/directory.ts'
import type { Region } from '../../gateway/model/region.ts'
import { withEnrolments } from '../../gateway/policy/enrolment-effect.ts'
import { rampShares } from '../../gateway/policy/enrolment-phase.ts'
import { activeEnrolment, someTerms, stepped } from '../support/enrolments.ts'
import { aNode, aRegion } from '../support/values.ts'

const settings = { rampMs: 6000, drainMs: 500, share: 1 }
const xian = aRegion('610100', { neighbours: [regionId('610400')] })
const xianyang = aRegion('610400', { nodes: [aNode('xianyang-1', { origin: 'http://127.0.0.1:9400' })] })
const file = [xian, xianyang]

const active = activeEnrolment({}, 1000)
const at = (enrolments: readonly Enrolment[], wallMs: number, regions: readonly Region[] = file) =>
  withEnrolments(regions, enrolments, wallMs, settings)
const donorIn = (regions: readonly Region[], code = '610600') =>
  regions.find((region) => region.code === code)
const levelsOf = (regions: readonly Region[], home = '610100'): string[] =>
  snapshotOf(1, regions, { holds: [], mode: null })
    .homes.get(home)
    ?.levels.map(({ name, region }) => `${name} ${region}`) ?? []

it('adds a donor after the neighbours that the file names, for its homes only', () => {
  const { regions, warnings } = at([active], 1000)
  expect(levelsOf(regions)).toEqual(['local 610100', 'neighbour 610400', 'neighbour 610600'])
  expect(levelsOf(regions, '610400')).toEqual(['local 610400'])
  expect(donorIn(regions)?.nodes.map(({ id, limit }) => [id, limit])).toEqual([['yanan-1', 100]])
  expect(warnings).toEqual([])
  // Its own residents would not be bounded by what it pledged.
  expect(levelsOf(regions, '610600')).toEqual([])
})

it('is nothing while no enrolment serves', () => {
  const states = ['draft', 'submitted', 'verified', 'approved'] as const
  const idle = states.map((state) => Object.assign({}, active, { id: state, state, servingSince: null }))
  expect(at(idle, 1000)).toMatchObject({ regions: file, drains: [], warnings: [] })
})

it('lends 1 % at first, then more by steps, and says when the next is due', () => {
  let now = 1000
  const lent: number[] = []
  for (let i = 0; i < rampShares.length; i++) {
    const { regions, nextChangeAt } = at([active], now)
    lent.push(donorIn(regions)?.lends.limitRps ?? -1)
    expect(donorIn(at([active], (nextChangeAt ?? 0) - 1).regions)?.lends.limitRps).toBe(lent[i])
    now = nextChangeAt ?? Infinity
  }
  expect(lent).toEqual([2, 4, 10, 20, 50, 100, 200])
  // Then the first warning that it will end.
  expect(now).toBe(active.terms.validUntil - 30 * 86_400_000)
  expect(donorIn(at([active], 1000).regions)?.lends.limitConcurrent).toBe(1)
  expect(donorIn(at([active], 9000).regions)?.lends).toEqual({
    limitRps: 200,
    limitConcurrent: 50,
    homeReserve: 0.3,
  })
})

describe('a donor that the file lists', () => {
  const listed = aRegion('610600', {
    name: { zh: '延安市', en: 'As the file says' },
    nodes: [aNode('old-1', { origin: 'http://127.0.0.1:9666', region: regionId('610600') })],
    lends: { limitRps: 30, limitConcurrent: Infinity, homeReserve: 0.5 },
  })

  it('keeps its name and nodes and lends what was enrolled, where it lent nobody anything', () => {
    const donor = donorIn(at([active], 9000, [...file, listed]).regions)
    expect(donor?.nodes.map(({ id }) => id)).toEqual(['old-1', 'yanan-1'])
    expect(donor?.name.en).toBe('As the file says')
    expect(donor?.lends).toEqual({ limitRps: 200, limitConcurrent: 50, homeReserve: 0.5 })
  })

  it('lends what was enrolled besides what the file agreed to', () => {
    const home = aRegion('610200', { neighbours: [listed.code] })
    const regions = [...file, home, listed]
    expect(donorIn(at([active], 9000, regions).regions)?.lends).toEqual({
      limitRps: 230,
      limitConcurrent: Infinity,
      homeReserve: 0.5,
    })
    const suspended = stepped(active, { kind: 'suspend', reason: 'x' }, { now: 9000 })
    for (const now of [9000, 9600]) {
      const after = at([suspended], now, regions).regions
      expect(donorIn(after)?.lends).toEqual(listed.lends)
      expect(levelsOf(after)).toEqual(['local 610100', 'neighbour 610400'])
      expect(levelsOf(after, '610200')).toEqual(['local 610200', 'neighbour 610600'])
    }
  })
})

it.each([
  ['province', '610000', ['local 610100', 'neighbour 610400', 'province 610000']],
  ['nation', '100000', ['local 610100', 'neighbour 610400', 'nation 100000']],
] as const)('places a %s at its own level', (tier, code, levels) => {
  const donor = { code: regionId(code), name: { zh: code, en: code }, tier }
  expect(levelsOf(at([activeEnrolment({ donor })], 1000).regions)).toEqual(levels)
})

it('places a province as a neighbour where the file has another', () => {
  const donor = { code: regionId('640000'), name: { zh: '宁', en: 'Ningxia' }, tier: 'province' as const }
  const own = aRegion('610000', { tier: 'province', nodes: [aNode('p', { origin: 'http://127.0.0.1:1' })] })
  const home = { ...xian, province: own.code }
  expect(levelsOf(at([activeEnrolment({ donor })], 1000, [home, xianyang, own]).regions)).toEqual([
    'local 610100',
    'neighbour 610400',
    'neighbour 640000',
    'province 610000',
  ])
})

describe('the end', () => {
  const night = activeEnrolment({ hours: { from: '22:00', until: '06:00' } }, 1000)
  const time = (text: string): number => Date.parse(`1970-01-05T${text}:00+08:00`)
  const ways = [
    ['suspension', stepped(active, { kind: 'suspend', reason: 'x' }, { now: 20_000 }), 20_000],
    ['withdrawal', stepped(active, { kind: 'withdraw', reason: 'x' }, { now: 20_000 }), 20_000],
    ['expiry', active, active.terms.validUntil],
    ['its hours', night, time('06:00')],
  ] as const

  it.each(ways)('by %s drains the nodes, lends nothing more, and then they are gone', (_, enrolment, end) => {
    const draining = at([enrolment], end)
    const snapshot = snapshotOf(1, draining.regions, { holds: draining.drains, mode: null })
    expect(snapshot.holds.get(nodeId('yanan-1'))?.kind).toBe('drain')
    expect(levelsOf(draining.regions)).toEqual(['local 610100', 'neighbour 610400'])
    expect(donorIn(draining.regions)?.lends.limitRps).toBe(0)
    expect(draining.nextChangeAt).toBe(end + 500)
    const gone = at([enrolment], end + 500)
    expect([gone.regions, gone.drains]).toEqual([file, []])
  })

  it('of the hours is not for ever', () => {
    expect(at([night], time('21:59')).nextChangeAt).toBe(time('22:00'))
    expect(levelsOf(at([night], time('22:00')).regions)).toContain('neighbour 610600')
  })

  it('is not of what has never begun', () => {
    const later = activeEnrolment({ hours: { from: '22:00', until: '06:00' } }, time('12:00'))
    expect(at([later], time('12:00'))).toMatchObject({ drains: [], nextChangeAt: time('22:00') })
    const future = activeEnrolment({ validFrom: 50_000 }, 1000)
    expect(at([future], 1000)).toMatchObject({ regions: file, nextChangeAt: 50_000 })
    expect(donorIn(at([future], 50_000).regions)?.lends.limitRps).toBe(2)
  })
})

describe('what can’t be', () => {
  it('is passed over and told: a node of the file, a home that is gone', () => {
    const taken = aRegion('610700', { nodes: [aNode('yanan-1', { origin: 'http://127.0.0.1:9700' })] })
    const twoHomes = activeEnrolment({ homes: [regionId('610100'), regionId('610400')] }, 1000, 'e1', {
      federation: { regions: file, enrolments: [] },
    })
    const { regions, warnings } = at([twoHomes], 1000, [xian, taken])
    expect(regions).toEqual([{ ...xian, neighbours: xian.neighbours }, taken])
    expect(warnings).toEqual([
      'enrolment e1: region 610400 is not listed in the configuration file; passed over',
      'enrolment e1: node id yanan-1 is taken by the configuration file; passed over',
    ])
  })

  it('gives a node that two name to the older', () => {
    const donor = { ...someTerms().donor, code: regionId('610800') }
    const { regions, warnings } = at([activeEnrolment({ donor }, 2000, 'e2'), active], 2000)
    expect([donorIn(regions)?.nodes.length, donorIn(regions, '610800')]).toEqual([1, undefined])
    expect(warnings).toHaveLength(2)
  })
})

it('warns ahead of the end, and looks again when the next warning is due', () => {
  const days = (count: number): number => active.terms.validUntil - count * 86_400_000
  expect(at([active], days(30)).warnings).toEqual([
    'enrolment e1 of 610600 ends within 30 days; enrol the donor anew in time',
  ])
  expect(at([active], days(30)).nextChangeAt).toBe(days(7))
  expect(at([active], days(1)).warnings[0]).toContain('ends within 1 day;')
  expect(at([active], days(0)).warnings[0]).toContain('has ended')
  expect(at([{ ...active, state: 'withdrawn', servingSince: null }], days(1)).warnings).toEqual([])
})

it('divides a node’s limit among processes, down to one', () => {
  const nodes = [
    { id: nodeId('a'), url: 'http://127.0.0.1:1', weight: 1, limit: 7 },
    { id: nodeId('b'), url: 'http://127.0.0.1:2', weight: 1, limit: 1 },
    { id: nodeId('c'), url: 'http://127.0.0.1:3', weight: 1, limit: null },
  ]
  const { regions } = withEnrolments(file, [activeEnrolment({ nodes })], 1000, { ...settings, share: 0.5 })
  expect(donorIn(regions)?.nodes.map(({ limit }) => limit)).toEqual([3, 1, Infinity])
})

const serving = (terms: EnrolmentTerms, since: number): Enrolment => ({
  ...active,
  terms,
  servingSince: since,
})
const suspended = (terms: EnrolmentTerms, since: number): Enrolment => ({
  ...active,
  terms,
  state: 'suspended',
  servingSince: null,
  servedUntil: since,
})

it('says when to look again, and nothing changes before; never lends more than was pledged', () => {
  const minute = fc.integer({ min: 0, max: 1439 })
  const clock = (m: number): string =>
    `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`
  const anEnrolment = fc
    .record({
      from: minute,
      until: minute,
      validFrom: fc.integer({ min: 0, max: 2e8 }),
      days: fc.integer({ min: 1, max: 3 }),
      since: fc.integer({ min: 0, max: 1e8 }),
      always: fc.boolean(),
      end: fc.option(fc.integer({ min: 0, max: 3e8 })),
    })
    .map(({ from, until, validFrom, days, since, always, end }): Enrolment => {
      const hours = always || from === until ? null : { from: clock(from), until: clock(until) }
      const terms = someTerms({ hours, validFrom, validUntil: validFrom + days * 86_400_000 })
      return end === null ? serving(terms, since) : suspended(terms, end)
    })
  fc.assert(
    fc.property(
      anEnrolment,
      fc.integer({ min: 0, max: 5e8 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (one, now, draw) => {
        const here = at([one], now)
        const until = here.nextChangeAt ?? now + 1e9
        expect(until).toBeGreaterThan(now)
        const meanwhile = at([one], Math.min(until - 1, Math.floor(now + draw * (until - now))))
        expect([meanwhile.regions, meanwhile.drains]).toEqual([here.regions, here.drains])
        expect(donorIn(here.regions)?.lends.limitRps ?? 0).toBeLessThanOrEqual(200)
      },
    ),
    { numRuns: 500 },
  )
})
