// A small share of requests keeps the next level warm, and never at a resident's cost.
import { describe, expect, it } from '@jest/globals'
import type { SkipReason } from '../../gateway/model/outcome.ts'
import type { Fleet } from '../../gateway/policy/selection.ts'
import { firstNode, levelsFor } from '../../gateway/policy/standby.ts'
import { aHome, aLevel, aNode } from '../support/values.ts'

const home = aHome([
  aLevel('local', [aNode('xian-1')]),
  aLevel('neighbour', [aNode('xianyang-1')], '610400'),
  aLevel('province', [aNode('shaanxi-1')], '610000'),
])
const names = ({ levels }: typeof home): string[] => levels.map(({ name }) => name)

it.each([
  { share: 0, draw: 0, starts: 'local' },
  { share: 0.1, draw: 0.1, starts: 'local' },
  { share: 0.1, draw: 0.0999, starts: 'neighbour' },
  { share: 1, draw: 0.9999, starts: 'neighbour' },
])('of $share, a draw of $draw starts at $starts', ({ share, draw, starts }) => {
  expect(names(levelsFor(home, share, draw))[0]).toBe(starts)
})

it('a home with one level has nothing to warm', () => {
  const alone = aHome([aLevel('local', [aNode('xian-1')])])
  expect(levelsFor(alone, 1, 0)).toBe(alone)
})

describe('the first node of a request that warms', () => {
  const settings = { rule: 'sticky', boundedLoad: 1.25, boundedLoadFloor: 16, triesPerLevel: 2 } as const
  const first = (wrong: Record<string, SkipReason>, share = 1): string | undefined => {
    const fleet: Fleet = {
      judge: (node) => wrong[node.id] ?? 'ok',
      inFlight: () => 0,
      cost: () => 0,
    }
    const choice = { key: 7, canRetry: true, tried: [] }
    return firstNode(home, fleet, choice, settings, { share, draw: 0 })?.node.id
  }

  it.each<[Record<string, SkipReason>, string]>([
    [{}, 'xianyang-1'],
    [{ 'xianyang-1': 'full' }, 'shaanxi-1'],
    [{ 'xianyang-1': 'quota-spent', 'shaanxi-1': 'full' }, 'xian-1'],
    // Those that would be tried for want of a better are not tried for warmth.
    [{ 'xianyang-1': 'unhealthy', 'shaanxi-1': 'full' }, 'xian-1'],
    [{ 'xianyang-1': 'stalled', 'shaanxi-1': 'unhealthy' }, 'xian-1'],
    [{ 'xian-1': 'unhealthy', 'xianyang-1': 'stalled', 'shaanxi-1': 'full' }, 'xianyang-1'],
  ])('%j: %s', (wrong, node) => {
    expect(first(wrong)).toBe(node)
  })

  it('is the nearest where it does not warm', () => {
    expect(first({}, 0)).toBe('xian-1')
  })
})
