// What regions have proven by drills: what counts, for how long, at which nodes, and who stands first.
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type DrillEnding, drillEndings, type FaultKind } from '../../gateway/model/drill.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import { type DrillVerdict, verdicts } from '../../gateway/policy/drill-report.ts'
import {
  type DrillResult,
  faultKinds,
  rankOf,
  type ReadinessGrade,
  readinessGrades,
  resultOf,
  scoreboardOf,
} from '../../gateway/policy/drill-scoreboard.ts'
import { faultWords } from '../../gateway/policy/drill-words.ts'
import { escalate } from '../../gateway/policy/escalation.ts'
import { aReport } from '../support/drill-reports.ts'
import { threeCities } from '../support/operators.ts'
import { aNode, aRegion } from '../support/values.ts'

const day = 86_400_000
const now = 1000 * day
const byCode = new Map(threeCities.map((region) => [region.code, region]))
const homes = new Map(threeCities.map((region) => [String(region.code), escalate(region, byCode)]))
const xian = regionId('610100')

const aResult = (changes: Partial<DrillResult> & { daysAgo?: number } = {}): DrillResult => {
  const { daysAgo = 1, ...rest } = changes
  return {
    drill: `d${daysAgo}`,
    fault: 'refuse',
    reached: { 610100: [nodeId('xian-1'), nodeId('xian-2')] },
    endedAt: now - daysAgo * day,
    ending: 'time',
    verdict: 'passed',
    ...rest,
  }
}
const scoreOf = (results: readonly DrillResult[], staleDays?: number) =>
  scoreboardOf(homes.values(), results, now, staleDays).find(({ region }) => region === xian)

it.each<{
  what: string
  results: readonly (readonly [daysAgo: number, verdict: DrillVerdict, ending?: DrillEnding])[]
  grade: ReadinessGrade
  last: DrillVerdict | null
}>([
  { what: 'nothing', results: [], grade: 'never', last: null },
  { what: 'a pass', results: [[1, 'passed']], grade: 'ready', last: 'passed' },
  { what: 'a pass of 90 days ago', results: [[90, 'passed']], grade: 'ready', last: 'passed' },
  { what: 'a pass of 91 days ago', results: [[91, 'passed']], grade: 'ageing', last: 'passed' },
  {
    what: 'a failure after a pass',
    results: [
      [9, 'passed'],
      [1, 'failed'],
    ],
    grade: 'failed',
    last: 'failed',
  },
  {
    what: 'a pass after a failure',
    results: [
      [1, 'passed'],
      [9, 'failed'],
    ],
    grade: 'ready',
    last: 'passed',
  },
  {
    what: 'one stopped for errors',
    results: [[1, 'ended-early', 'errors']],
    grade: 'failed',
    last: 'ended-early',
  },
  {
    what: 'one stopped for latency',
    results: [[1, 'ended-early', 'latency']],
    grade: 'failed',
    last: 'ended-early',
  },
  {
    what: 'one that its owner ended',
    results: [[1, 'ended-early', 'owner']],
    grade: 'never',
    last: 'ended-early',
  },
  {
    what: 'one that met nobody after a pass',
    results: [
      [1, 'no-traffic'],
      [9, 'passed'],
    ],
    grade: 'ready',
    last: 'no-traffic',
  },
  {
    what: 'one that was interrupted after a failure',
    results: [
      [1, 'interrupted', 'interrupted'],
      [400, 'failed'],
    ],
    grade: 'failed',
    last: 'interrupted',
  },
])('$what is $grade', ({ results, grade, last }) => {
  const score = scoreOf(
    results.map(([daysAgo, verdict, ending = 'time']) => aResult({ daysAgo, verdict, ending })),
  )
  const fault = score?.faults.find((one) => one.fault === 'refuse')
  expect([score?.grade, fault?.grade, fault?.last?.verdict ?? null]).toEqual([grade, grade, last])
  expect(score?.untested).toHaveLength(grade === 'never' ? 8 : 7)
  expect(score?.words).toEqual({ zh: expect.stringMatching(/\p{Script=Han}/u), en: expect.any(String) })
})

it('knows every fault that there is', () => {
  expect([...faultKinds].toSorted()).toEqual(Object.keys(faultWords).toSorted())
})

it('a region is as good as the worst of its faults that were tested', () => {
  const fresh = aResult({ fault: 'trip' })
  expect(scoreOf([fresh, aResult({ fault: 'refuse', daysAgo: 100 })])?.grade).toBe('ageing')
  expect(scoreOf([fresh, aResult({ fault: 'refuse', daysAgo: 100 })], 120)?.grade).toBe('ready')
  expect(scoreOf([fresh, aResult({ verdict: 'failed' })])).toMatchObject({
    grade: 'failed',
    last: { ageDays: 1 },
    untested: faultKinds.filter((kind) => kind !== 'trip' && kind !== 'refuse'),
  })
})

it('tells which levels and nodes a passed drill lay upon, and which none ever did', () => {
  const one = aResult({ daysAgo: 5, reached: { 610100: [nodeId('xian-1')] } })
  const failed = aResult({ daysAgo: 1, verdict: 'failed', reached: { 610100: [nodeId('xianyang-1')] } })
  expect(scoreOf([one, failed])?.levels).toMatchObject([
    {
      level: 'local',
      lastPassed: null,
      nodes: [
        { node: 'xian-1', lastPassed: { drill: 'd5', ageDays: 5 } },
        { node: 'xian-2', lastPassed: null },
      ],
    },
    { level: 'neighbour', region: '610400', lastPassed: null, nodes: [{ lastPassed: null }] },
  ])
  const whole = aResult({ daysAgo: 9 })
  expect(scoreOf([one, whole])?.levels[0]).toMatchObject({
    lastPassed: { drill: 'd9' },
    nodes: [{ lastPassed: { drill: 'd5' } }, { lastPassed: { drill: 'd9' } }],
  })
  // A node that came since is in no drill of before.
  const grown = aRegion('610100', { nodes: ['xian-1', 'xian-2', 'xian-3'].map((id) => aNode(id)) })
  const [score] = scoreboardOf([escalate(grown, new Map([[xian, grown]]))], [whole], now)
  expect(score?.levels[0]).toMatchObject({ lastPassed: null, nodes: [{}, {}, { lastPassed: null }] })
})

it('what is remembered of a drill is what it reached in each home when it ran', () => {
  const scope = { homes: [xian, regionId('620100')], regions: [], nodes: [nodeId('xianyang-1')], levels: [] }
  const local = { ...scope, levels: ['local' as const] }
  expect(resultOf(aReport({ scope: local }), aReport().run, homes)).toEqual({
    drill: 'd1',
    fault: 'refuse',
    reached: { 610100: ['xian-1', 'xian-2', 'xianyang-1'], 620100: ['lanzhou-1'] },
    endedAt: 66_000,
    ending: 'time',
    verdict: 'passed',
  })
  const lost = aReport({ scope: local, fault: { kind: 'registry-loss' } })
  expect(resultOf(lost, lost.run, homes).reached).toEqual({ 610100: [], 620100: [] })
})

it('stands worst first: what failed, what was never tested, then what has the least proven', () => {
  const of = (home: string, changes: Partial<DrillResult>) => aResult({ reached: { [home]: [] }, ...changes })
  const board = (results: readonly DrillResult[]) =>
    scoreboardOf(homes.values(), results, now).map(({ region, grade }) => `${region} ${grade}`)
  expect(board([of('610100', {}), of('610400', { verdict: 'failed' })])).toEqual([
    '610400 failed',
    '620100 never',
    '610100 ready',
  ])
  const all = ['610100', '610400', '620100'].map((home) => of(home, { drill: home }))
  expect(board([...all, of('610100', { fault: 'trip' })])).toEqual([
    '610400 ready',
    '620100 ready',
    '610100 ready',
  ])
})

it('of any results: every home once, in the order of its rank, whatever order they come in', () => {
  const result = fc
    .record({
      drill: fc.uuid(),
      fault: fc.constantFrom<FaultKind>(...faultKinds),
      home: fc.constantFrom('610100', '610400', '620100', '999999'),
      endedAt: fc.integer({ min: 0, max: now + day }),
      ending: fc.option(fc.constantFrom(...drillEndings)),
      verdict: fc.constantFrom(...verdicts),
    })
    .map(({ home, drill, fault, endedAt, ending, verdict }): DrillResult => {
      const reached = { [home]: [nodeId('xian-1')] }
      return { drill, fault, endedAt, ending, verdict, reached }
    })
  fc.assert(
    fc.property(fc.uniqueArray(result, { selector: ({ drill }) => drill }), (results) => {
      const board = scoreboardOf(homes.values(), results, now)
      expect(board.map(({ region }) => region).toSorted()).toEqual(['610100', '610400', '620100'])
      expect(board.map(rankOf)).toEqual(board.map(rankOf).toSorted())
      expect(scoreboardOf(homes.values(), results.toReversed(), now)).toEqual(board)
      for (const { grade, untested, faults } of board) {
        expect(faults.map(({ fault }) => fault)).toEqual([...faultKinds])
        expect(grade === 'never').toBe(untested.length === faultKinds.length)
        for (const fault of faults) {
          if (fault.grade === 'ready' || fault.grade === 'ageing') expect(fault.lastPassed).not.toBeNull()
          expect(fault.last?.ageDays ?? 0).toBeGreaterThanOrEqual(0)
          // No fault is worse than the region, but for those that nobody knows of.
          if (fault.grade !== 'never')
            expect(readinessGrades.indexOf(fault.grade)).toBeGreaterThanOrEqual(
              readinessGrades.indexOf(grade),
            )
        }
      }
    }),
  )
})

it('of a thousand regions and ten thousand drills takes a moment', () => {
  const many = Array.from({ length: 1000 }, (_, i) => aRegion(String(610_000 + i)))
  const codes = new Map(many.map((region) => [region.code, region]))
  const results = Array.from({ length: 10_000 }, (_, i) =>
    aResult({
      drill: `d${i}`,
      fault: faultKinds[i % 8] ?? 'trip',
      endedAt: now - i * 3_600_000,
      reached: { [String(610_000 + (i % 1000))]: [nodeId(`n${610_000 + (i % 1000)}`)] },
    }),
  )
  const began = performance.now()
  const board = scoreboardOf(
    many.map((region) => escalate(region, codes)),
    results,
    now,
  )
  expect(board).toHaveLength(1000)
  expect(performance.now() - began).toBeLessThan(2000)
})
