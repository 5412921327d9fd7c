// Which node comes next: levels in order, residents that stay, load that is bounded, nobody tried twice.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { NodeId } from '../../gateway/model/ids.ts'
import type { Verdict } from '../../gateway/model/outcome.ts'
import type { CodeNode } from '../../gateway/model/region.ts'
import type { Home } from '../../gateway/model/snapshot.ts'
import { mix } from '../../gateway/policy/hash.ts'
import { type Fleet, nextNode, type SelectionSettings } from '../../gateway/policy/selection.ts'
import { aHome, aLevel, aNode } from '../support/values.ts'

const sticky: SelectionSettings = {
  rule: 'sticky',
  boundedLoad: 1.25,
  boundedLoadFloor: 16,
  triesPerLevel: 2,
}
const leastLoaded: SelectionSettings = { ...sticky, rule: 'least-loaded' }

const fleet = (
  verdicts: Record<string, Verdict> = {},
  inFlight: Record<string, number> = {},
  cost: Record<string, number> = {},
): Fleet => ({
  judge: (node) => verdicts[node.id] ?? 'ok',
  inFlight: (node) => inFlight[node.id] ?? 0,
  cost: (node) => cost[node.id] ?? 1,
})

const home = aHome([
  aLevel('local', [aNode('xian-1'), aNode('xian-2')]),
  aLevel('neighbour', [aNode('xianyang-1')], '610400'),
  aLevel('province', [aNode('shaanxi-1')], '610000'),
])

/** All nodes in the order in which a request would try them. */
function order(at: Home, nodes: Fleet, key: number, settings = sticky): string[] {
  const tried: NodeId[] = []
  for (;;) {
    const pick = nextNode(at, nodes, { key, canRetry: true, tried }, settings)
    if (pick === null) return tried
    tried.push(pick.node.id)
  }
}

const levelOf = (id: string | undefined): string => id?.split('-')[0] ?? 'none'

describe.each([sticky, leastLoaded])('$rule', (settings) => {
  it.each<{ name: string; verdicts: Record<string, Verdict>; first: string }>([
    { name: 'stays local while local is up', verdicts: {}, first: 'xian' },
    { name: 'stays local while one local node is', verdicts: { 'xian-1': 'breaker-open' }, first: 'xian' },
    {
      name: 'crosses to the neighbour city',
      verdicts: { 'xian-1': 'unhealthy', 'xian-2': 'full' },
      first: 'xianyang',
    },
    {
      name: 'reaches the province',
      verdicts: { 'xian-1': 'held', 'xian-2': 'held', 'xianyang-1': 'breaker-open' },
      first: 'shaanxi',
    },
    {
      name: 'takes a ramping node before failing',
      verdicts: { 'xian-1': 'ramping', 'xian-2': 'held', 'xianyang-1': 'held', 'shaanxi-1': 'held' },
      first: 'xian',
    },
    {
      name: 'prefers a further node to a stalled one',
      verdicts: { 'xian-1': 'stalled', 'xian-2': 'stalled' },
      first: 'xianyang',
    },
    {
      name: 'doubts probes that call everything down',
      verdicts: {
        'xian-1': 'unhealthy',
        'xian-2': 'unhealthy',
        'xianyang-1': 'unhealthy',
        'shaanxi-1': 'unhealthy',
      },
      first: 'xian',
    },
    {
      name: 'does not doubt breakers',
      verdicts: {
        'xian-1': 'breaker-open',
        'xian-2': 'breaker-open',
        'xianyang-1': 'breaker-open',
        'shaanxi-1': 'breaker-open',
      },
      first: 'none',
    },
  ])('$name', ({ verdicts, first }) => {
    for (let key = 0; key < 50; key++)
      expect(levelOf(order(home, fleet(verdicts), mix(key), settings)[0])).toBe(first)
  })

  it('tries every able node once, nearest level first', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (key) => {
        const all = order(home, fleet(), key, settings)
        expect([...all].sort()).toEqual(['shaanxi-1', 'xian-1', 'xian-2', 'xianyang-1'])
        expect(all.map(levelOf)).toEqual(['xian', 'xian', 'xianyang', 'shaanxi'])
      }),
    )
  })
})

it('looks further away after two tries at a level, and comes back to the rest', () => {
  const big = aHome([
    aLevel(
      'local',
      [1, 2, 3, 4].map((i) => aNode(`xian-${i}`)),
    ),
    aLevel('neighbour', [aNode('xianyang-1')], '610400'),
  ])
  expect(order(big, fleet(), 1).map(levelOf)).toEqual(['xian', 'xian', 'xianyang', 'xian', 'xian'])
})

describe('sticky', () => {
  const six = Array.from({ length: 6 }, (_, i) => aNode(`n-${i}`))
  const wide = aHome([aLevel('local', six)])

  it('keeps a resident with one node, and spreads residents evenly', () => {
    const counts = new Map<string, number>()
    for (let resident = 0; resident < 6000; resident++) {
      const [first = ''] = order(wide, fleet(), mix(resident))
      expect(order(wide, fleet(), mix(resident))[0]).toBe(first)
      counts.set(first, (counts.get(first) ?? 0) + 1)
    }
    for (const node of six) expect(counts.get(node.id)).toBeGreaterThan(850)
  })

  it('moves only the residents of a lost node', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), fc.nat(5), (key, lost) => {
        const before = order(wide, fleet(), key)[0]
        const after = order(wide, fleet({ [`n-${lost}`]: 'breaker-open' }), key)[0]
        expect(before === `n-${lost}` || after === before).toBe(true)
      }),
    )
  })

  it('gives shares by weight', () => {
    const weighted = aHome([aLevel('local', [aNode('light', { weight: 1 }), aNode('heavy', { weight: 3 })])])
    let heavy = 0
    for (let i = 0; i < 4000; i++) if (order(weighted, fleet(), mix(i))[0] === 'heavy') heavy += 1
    expect(heavy / 4000).toBeCloseTo(0.75, 1)
  })

  it('passes over a node that has far more open than its share, but not below the floor', () => {
    const two = aHome([aLevel('local', [aNode('a'), aNode('b')])])
    for (let i = 0; i < 200; i++) {
      expect(order(two, fleet({}, { a: 40, b: 2 }), mix(i))[0]).toBe('b')
      const own = order(two, fleet(), mix(i))[0]
      expect(order(two, fleet({}, { a: 15, b: 0 }), mix(i))[0]).toBe(own)
    }
  })

  it('never spills to another level only because load is uneven', () => {
    expect(levelOf(order(home, fleet({}, { 'xian-1': 500, 'xian-2': 500 }), 7)[0])).toBe('xian')
  })
})

describe('least-loaded', () => {
  it('takes the cheaper of two', () => {
    const two = aHome([aLevel('local', [aNode('slow'), aNode('fast')])])
    for (let i = 0; i < 100; i++) {
      expect(order(two, fleet({}, {}, { slow: 50, fast: 2 }), mix(i), leastLoaded)[0]).toBe('fast')
    }
  })
})

it('the cost of a choice does not grow with levels that are not used', () => {
  let judged = 0
  const counting: Fleet = { ...fleet(), judge: (_node: CodeNode) => ((judged += 1), 'ok') }
  const many = aHome([
    aLevel('local', [aNode('xian-1')]),
    ...Array.from({ length: 300 }, (_, i) => aLevel('neighbour', [aNode(`far-${i}`)], '610400')),
  ])
  nextNode(many, counting, { key: 1, canRetry: true, tried: [] }, sticky)
  expect(judged).toBe(1)
})
