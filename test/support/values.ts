// Values for tests of pure code: nodes, homes and conditions with everything unimportant filled in.
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import type { CodeNode, LevelName, Region } from '../../gateway/model/region.ts'
import type { Home, Level } from '../../gateway/model/snapshot.ts'
import type { ConcurrencySettings } from '../../gateway/policy/concurrency.ts'
import type { Condition } from '../../gateway/policy/eligibility.ts'
import type { ProtectionSettings } from '../../gateway/policy/protection.ts'
import { seedOf } from '../../gateway/policy/hash.ts'

/** As shipped. */
export const learning: ConcurrencySettings = {
  initial: 10,
  floor: 4,
  ceiling: 10_000,
  tolerance: 1.5,
  slackMs: 10,
}

/** As shipped, but for connections, which close the door at their limit. */
export const protecting: ProtectionSettings = {
  eventLoopDelayMs: { eased: 100, shedding: 400, closed: 3000 },
  memoryShare: { eased: 0.75, shedding: 0.85, closed: 0.93 },
  connectionShare: { eased: 0.75, shedding: 0.9, closed: 1 },
  releaseShare: 0.8,
  calmMs: 5000,
}

export const aNode = (id: string, changes: Partial<CodeNode> = {}): CodeNode => ({
  trust: null,
  isEnrolled: false,
  connectionKey: changes.origin ?? 'http://127.0.0.1:9101',
  id: nodeId(id),
  region: regionId('610100'),
  origin: 'http://127.0.0.1:9101',
  basePath: '',
  authority: '127.0.0.1:9101',
  weight: 1,
  limit: Infinity,
  seed: seedOf(id),
  ...changes,
})

export const aRegion = (code: string, changes: Partial<Region> = {}): Region => ({
  code: regionId(code),
  name: { zh: code, en: code },
  tier: 'city',
  nodes: [aNode(`n${code}`, { region: regionId(code) })],
  lends: { limitRps: Infinity, limitConcurrent: Infinity, homeReserve: 0 },
  neighbours: [],
  province: null,
  nation: null,
  servesOwn: true,
  discovers: false,
  ...changes,
})

export const aLevel = (name: LevelName, nodes: readonly CodeNode[], region = '610100'): Level => ({
  name,
  region: regionId(region),
  nodes,
  totalWeight: nodes.reduce((sum, node) => sum + node.weight, 0),
})

export const aHome = (levels: readonly Level[]): Home => ({ region: aRegion('610100'), levels })

export const aCondition = (changes: Partial<Condition> = {}): Condition => ({
  hold: null,
  health: 'up',
  breaker: 'closed',
  notReadyFor: new Set(),
  trialUnderWay: false,
  trialOverdue: false,
  silentOverdue: 0,
  inFlight: 0,
  limit: Infinity,
  pausing: false,
  homeReserve: 0,
  quotaSpent: false,
  ramp: 1,
  ...changes,
})
