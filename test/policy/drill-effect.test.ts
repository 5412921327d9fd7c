// What a drill comes to in the forecast: its cohort's share of traffic moves, and levels are counted as the cohort finds them.
import { expect, it } from '@jest/globals'
import { preview } from '../../gateway/control/preview.ts'
import type { Fault } from '../../gateway/model/drill.ts'
import { regionId } from '../../gateway/model/ids.ts'
import { homeReads, nodeReads, reads } from '../support/readings.ts'
import { aNode, aRegion } from '../support/values.ts'

const [xian, xianyang, baoji] = [regionId('610100'), regionId('610400'), regionId('610300')]
const regions = [
  aRegion(xian, { nodes: [aNode('xian-1')], neighbours: [xianyang, baoji] }),
  aRegion(xianyang, { nodes: [aNode('xianyang-1', { region: xianyang })] }),
  aRegion(baoji, { nodes: [aNode('baoji-1', { region: baoji })] }),
]
// Each can answer 200 a second.
const readings = reads(
  [nodeReads('xian-1'), nodeReads('xianyang-1', xianyang), nodeReads('baoji-1', baoji)],
  [homeReads(xian, 100)],
)
const atHome = { regions: [], nodes: [], levels: ['local' as const] }

function foreseen(fault: Fault, cohort: number, scope: object = {}) {
  const drill = { home: xian, scope: { ...atHome, ...scope }, fault, cohort }
  return preview([], {
    input: { regions, holds: [], mode: null },
    readings,
    ownMode: 'peacetime',
    warmShare: () => 0,
    drills: { before: [], after: [drill], bounds: { attemptTimeoutMs: 5000, breakerOpensAbove: 0.25 } },
  })
}
const elsewhere = ({ after }: ReturnType<typeof foreseen>): number =>
  after.homes
    .flatMap(({ byLevel }) => byLevel)
    .reduce((sum, { level, rps }) => (level === 'local' ? sum : sum + rps), 0)
const objections = ({ guards }: ReturnType<typeof foreseen>) =>
  guards
    .filter(({ severity }) => severity === 'object')
    .map(({ guard, found, bound }) => [guard, Math.round(found * 100) / 100, bound])

it.each<{ fault: Fault; cohort: number; moved: number }>([
  { fault: { kind: 'trip' }, cohort: 0.1, moved: 10 },
  { fault: { kind: 'blackhole' }, cohort: 1, moved: 100 },
  { fault: { kind: 'probe-fail' }, cohort: 0.5, moved: 50 },
  { fault: { kind: 'errors', share: 0.2, status: 503 }, cohort: 0.5, moved: 10 },
  { fault: { kind: 'errors', share: 0.5, status: 503 }, cohort: 0.5, moved: 50 },
  { fault: { kind: 'latency', ms: 5000, jitterMs: 0 }, cohort: 0.1, moved: 10 },
  { fault: { kind: 'latency', ms: 20, jitterMs: 0 }, cohort: 1, moved: 0 },
  // Of 50 ms an answer takes 150: 67 a second fit, of 100.
  { fault: { kind: 'latency', ms: 100, jitterMs: 0 }, cohort: 1, moved: 33 },
  { fault: { kind: 'quota-cut', share: 0 }, cohort: 1, moved: 0 },
  { fault: { kind: 'registry-loss' }, cohort: 1, moved: 0 },
])('$fault for $cohort of residents moves $moved a second of 100', ({ fault, cohort, moved }) => {
  const told = foreseen(fault, cohort)
  expect(Math.round(elsewhere(told))).toBe(moved)
  expect(told.after.totals.shedRps).toBeCloseTo(0)
  expect(told.after.totals.rps).toBeCloseTo(100)
})

it('counts levels as the cohort finds them, however small it is, and room by its share', () => {
  const two = { nodes: [], regions: [xianyang] }
  expect(objections(foreseen({ kind: 'trip' }, 0.01))).toEqual([])
  expect(objections(foreseen({ kind: 'trip' }, 0.01, two))).toEqual([['levels-left', 1, 2]])
  const all = { regions: [xian, xianyang, baoji] }
  expect(objections(foreseen({ kind: 'trip' }, 0.01, all))).toEqual([
    ['nobody-left', 0, 2],
    ['sheds', 1, 0],
  ])
})

it('lets the control stay where it is, also where its own region has no room left', () => {
  const told = foreseen({ kind: 'trip' }, 0.1)
  expect(told.after.homes[0]?.byLevel.map(({ level, rps }) => [level, Math.round(rps)])).toEqual([
    ['local', 90],
    ['neighbour', 10],
  ])
  // What the cohort leaves idle at home is no room for it.
  const local = told.after.regions.find(({ region }) => region === xian)
  expect(local?.capacityRps).toBeCloseTo(180)
})
