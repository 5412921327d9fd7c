// How much of the memory that this process may have is in use.
import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'

/** What can be read of a process's memory, bytes; the system's own by default. */
export interface MemorySource {
  /** Limit of the control group; 0 or beyond the machine's memory where there is none. */
  readonly constrained: number
  readonly total: number
  rss(): number
  heap(): { readonly used_heap_size: number; readonly heap_size_limit: number }
}

const systemMemory = (): MemorySource => ({
  constrained: process.constrainedMemory(),
  total: totalmem(),
  rss: () => process.memoryUsage.rss(),
  heap: getHeapStatistics,
})

/**
 * The nearer of two ends: resident memory to the control group's (or machine's) limit, and JavaScript's heap to its own.
 *
 * @param processes Gateway processes that share the limit, at least 1.
 * @returns Reads the share in use, above 0; above 1 only where a limit was lowered under way.
 */
export function memoryShareOf(processes = 1, source = systemMemory()): () => number {
  const { constrained, total } = source
  const limit = (constrained > 0 && constrained < total ? constrained : total) / processes
  let rss = 0
  return () => {
    try {
      rss = source.rss()
    } catch {
      // It is read from a file, which a process without a free descriptor can't open: the last one stands.
    }
    const { used_heap_size: used, heap_size_limit: most } = source.heap()
    return Math.max(rss / limit, used / most)
  }
}
