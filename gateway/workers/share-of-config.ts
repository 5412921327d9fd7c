// What of the configuration is one gateway's and must be divided among its workers.
import type { Config } from '../../config/schema.ts'

/**
 * A worker's part of the configuration. Budgets are proportional to traffic and divide themselves; their floors a second
 * are not. A node's declared limit is divided down to 1: a node that takes fewer requests than there are workers may be
 * sent one by each. `limits` guard a process's memory and stay as they are, since the system spreads connections
 * unevenly. Each worker keeps its own connections to a node, so their number is divided too.
 */
export function shareOfConfig(config: Config, workers: number): Config {
  const part = structuredClone(config)
  const { attempts, concurrency, hedging, lastGood, queue } = part
  attempts.retryFloorPerSecond /= workers
  attempts.maxConnectionsPerNode = Math.ceil(attempts.maxConnectionsPerNode / workers)
  hedging.floorPerSecond /= workers
  // Learning starts from the same in all, and so do memory and the wait that are spent together.
  concurrency.initial = Math.max(concurrency.floor, Math.ceil(concurrency.initial / workers))
  queue.size = Math.ceil(queue.size / workers)
  lastGood.memoryBytes = Math.ceil(lastGood.memoryBytes / workers)
  for (const node of part.regions.flatMap(({ nodes }) => nodes)) {
    if (node.limit !== undefined) node.limit = Math.max(1, Math.floor(node.limit / workers))
  }
  return part
}
