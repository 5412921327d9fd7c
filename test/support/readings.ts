// Readings for tests of pure code, with everything unimportant filled in.
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import type { GatewayReadings, HomeReadings, NodeReadings, Readings } from '../../gateway/model/readings.ts'

/** Up, idle, with a declared limit of 10 and 50 ms for an answer: 200 requests a second. */
export const nodeReads = (
  id: string,
  region = '610100',
  changes: Partial<NodeReadings> = {},
): NodeReadings => ({
  node: nodeId(id),
  region: regionId(region),
  health: 'up',
  healthDetail: '',
  breaker: 'closed',
  notReadyFor: [],
  trialUnderWay: false,
  trialOverdue: false,
  silentOverdue: 0,
  hold: null,
  inFlight: 0,
  limit: 10,
  knownLimit: 10,
  limitBasis: 'declared',
  homeReserve: 0,
  quotaSpent: false,
  pausing: false,
  ramp: 1,
  p99Ms: 90,
  meanMs: 50,
  easeMs: 45,
  costMs: 50,
  rps: 0,
  serving: 'ok',
  lending: 'ok',
  ...changes,
})

export const homeReads = (home: string, rps: number, changes: Partial<HomeReadings> = {}): HomeReadings => ({
  home: regionId(home),
  rps,
  byLevel: [{ level: 'local', region: regionId(home), rps }],
  errorsPerSecond: 0,
  shedPerSecond: 0,
  ...changes,
})

export const gatewayReads = (changes: Partial<GatewayReadings> = {}): GatewayReadings => ({
  id: 'chiyuan',
  version: '0.1.0',
  snapshotVersion: 1,
  mode: 'peacetime',
  registryLost: null,
  quotaSharing: null,
  protection: 'normal',
  workers: { ready: 1, of: 1, missing: [] },
  uptimeSeconds: 60,
  ...changes,
})

export const reads = (
  nodes: readonly NodeReadings[],
  homes: readonly HomeReadings[] = [],
  gateway: Partial<GatewayReadings> = {},
): Readings => ({ at: 1_000_000, gateway: gatewayReads(gateway), nodes, homes })
