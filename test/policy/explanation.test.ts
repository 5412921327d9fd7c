// An explanation says what the router does, since it asks the router's own functions.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type NodeId, nodeId, type RegionId, regionId } from '../../gateway/model/ids.ts'
import type { Verdict } from '../../gateway/model/outcome.ts'
import type { Home } from '../../gateway/model/snapshot.ts'
import { explain, type ExplanationSettings, type Known } from '../../gateway/policy/explanation.ts'
import { judge } from '../../gateway/policy/eligibility.ts'
import { nextNode } from '../../gateway/policy/selection.ts'
import { levelWords, planReasonWords, prospectWords, verdictWords } from '../../gateway/policy/words.ts'
import { aCondition, aHome, aLevel, aNode } from '../support/values.ts'

const settings: ExplanationSettings = {
  selection: { rule: 'sticky', boundedLoad: 1.25, boundedLoadFloor: 16, triesPerLevel: 2 },
  attempts: { maxAttempts: 8 },
  standby: { warmShare: 0 },
}
const home = aHome([
  aLevel('local', [aNode('xian-1'), aNode('xian-2', { weight: 3 })]),
  aLevel('neighbour', [aNode('xianyang-1'), aNode('xianyang-2')], '610400'),
  aLevel('province', [aNode('shaanxi-1')], '610000'),
])
const ids = ['xian-1', 'xian-2', 'xianyang-1', 'xianyang-2', 'shaanxi-1']

const board = (changes: Record<string, Partial<Known>> = {}): Map<NodeId, Known> =>
  new Map(ids.map((id) => [nodeId(id), { ...aCondition(), costMs: 10, ...changes[id] }]))

const known: fc.Arbitrary<Known> = fc.record({
  hold: fc.constantFrom(null, null, 'trip' as const, 'drain' as const, 'bypass' as const),
  health: fc.constantFrom('up' as const, 'down' as const, 'unknown' as const),
  breaker: fc.constantFrom('closed' as const, 'closed' as const, 'open' as const, 'half-open' as const),
  notReadyFor: fc.constantFrom(new Set<RegionId>(), new Set<RegionId>(), new Set([regionId('610100')])),
  trialUnderWay: fc.boolean(),
  trialOverdue: fc.boolean(),
  silentOverdue: fc.constantFrom(0, 0, 3),
  inFlight: fc.nat(40),
  limit: fc.constantFrom(1, 20, 40, Infinity),
  pausing: fc.constantFrom(false, false, true),
  homeReserve: fc.constantFrom(0, 0.5, 1),
  quotaSpent: fc.constantFrom(false, false, true),
  ramp: fc.constantFrom(1, 1, 0.1),
  costMs: fc.nat(500),
})

/** What the router would ask, written anew: not the explanation's own fleet. */
function routed(at: Home, conditions: Map<NodeId, Known>, key: number, canRetry: boolean, tried: NodeId[]) {
  const of = (id: NodeId): Known => conditions.get(id) ?? { ...aCondition(), costMs: 0 }
  const fleet = {
    judge: (
      { id }: { id: NodeId },
      homeOf: RegionId,
      draw: number,
      movable: boolean,
      borrowed: boolean,
    ): Verdict => judge(of(id), homeOf, draw, movable, borrowed),
    inFlight: ({ id }: { id: NodeId }) => of(id).inFlight,
    cost: ({ id }: { id: NodeId }) => of(id).costMs * (of(id).inFlight + 1),
  }
  return (rule: 'sticky' | 'least-loaded') =>
    nextNode(at, fleet, { key, canRetry, tried }, { ...settings.selection, rule })
}

it.each(['sticky', 'least-loaded'] as const)(
  'whatever the nodes’ state, the plan is the router’s, first and next (%s)',
  (rule) => {
    fc.assert(
      fc.property(
        fc.tuple(known, known, known, known, known),
        fc.nat(0xffffffff),
        fc.boolean(),
        (states, key, canRetry) => {
          const conditions = new Map(ids.map((id, i) => [nodeId(id), states[i] ?? states[0]]))
          const chosen = { ...settings, selection: { ...settings.selection, rule } }
          const told = explain(home, conditions, { canRetry, key }, chosen)
          const tried: NodeId[] = []
          for (const planned of told.plan) {
            const pick = routed(home, conditions, key, canRetry, [...tried])(rule)
            expect(planned.node).toBe(pick?.node.id)
            expect(planned.level).toBe(pick?.level.name)
            tried.push(planned.node)
          }
          expect(routed(home, conditions, key, canRetry, tried)(rule)).toBeNull()
          expect(told.prospect === 'served').toBe(told.plan.length > 0)
        },
      ),
    )
  },
)

describe('each node that is not tried has its reason', () => {
  it.each<{ verdict: Verdict; node: string; change: Partial<Known> }>([
    { verdict: 'held', node: 'xian-1', change: { hold: 'trip' } },
    { verdict: 'draining', node: 'xian-1', change: { hold: 'drain' } },
    { verdict: 'unhealthy', node: 'xian-1', change: { health: 'down' } },
    { verdict: 'breaker-open', node: 'xian-1', change: { breaker: 'open' } },
    { verdict: 'full', node: 'xian-1', change: { inFlight: 5, limit: 5 } },
    { verdict: 'stalled', node: 'xian-1', change: { silentOverdue: 3 } },
    { verdict: 'quota-spent', node: 'shaanxi-1', change: { quotaSpent: true } },
    { verdict: 'reserved', node: 'shaanxi-1', change: { inFlight: 5, limit: 10, homeReserve: 0.5 } },
  ])('$verdict', ({ verdict, node, change }) => {
    const told = explain(home, board({ [node]: change }), { canRetry: true, key: null }, settings)
    const found = told.levels.flatMap(({ nodes }) => nodes).find((one) => one.node === node)
    expect(found).toMatchObject({ verdict, firstShare: 0 })
    expect(told.plan.filter(({ why }) => why === 'in-good-standing').map((one) => one.node)).not.toContain(
      node,
    )
  })
})

it('residents at large are spread by weight, and the plan is of those that most are like', () => {
  const told = explain(home, board(), { canRetry: true, key: null }, settings)
  const share = (id: string): number =>
    told.levels.flatMap(({ nodes }) => nodes).find(({ node }) => node === id)?.firstShare ?? 0
  expect(share('xian-1')).toBeCloseTo(0.25, 1)
  expect(share('xian-2')).toBeCloseTo(0.75, 1)
  expect(share('shaanxi-1')).toBe(0)
  expect(told.plan[0]?.node).toBe('xian-2')
  expect(told.plan.map(({ level }) => level)).toEqual([
    'local',
    'local',
    'neighbour',
    'neighbour',
    'province',
  ])
})

it('a node that is ramped back is first for its share of residents', () => {
  const alone = aHome([
    aLevel('local', [aNode('xian-1')]),
    aLevel('neighbour', [aNode('xianyang-1')], '610400'),
  ])
  const told = explain(alone, board({ 'xian-1': { ramp: 0.3 } }), { canRetry: true, key: null }, settings)
  expect(told.levels[0]?.nodes[0]).toMatchObject({ verdict: 'ok', ramp: 0.3 })
  expect(told.levels[0]?.nodes[0]?.firstShare).toBeCloseTo(0.3, 1)
})

it.each<{ prospect: string; change: Partial<Known> }>([
  { prospect: 'waits', change: { inFlight: 9, limit: 9 } },
  { prospect: 'nobody', change: { hold: 'trip' } },
  { prospect: 'served', change: { health: 'down' } },
])('with every node like that: $prospect', ({ prospect, change }) => {
  const all = board(Object.fromEntries(ids.map((id) => [id, change])))
  expect(explain(home, all, { canRetry: true, key: 7 }, settings).prospect).toBe(prospect)
})

it('every code has words in both languages', () => {
  for (const table of [verdictWords, levelWords, planReasonWords, prospectWords]) {
    for (const { zh, en } of Object.values(table)) {
      expect(zh).toMatch(/\p{Script=Han}/u)
      expect(en).toMatch(/^[\x20-\x7e’]+$/)
    }
  }
})
