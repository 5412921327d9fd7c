// Counts kept as plain numbers and handed to prom-client when somebody scrapes: counting costs an addition, not a hash.
import { Counter, type Registry } from 'prom-client'

/** One line of a counter. */
export interface TallyLine {
  count: number
  readonly labels: readonly string[]
}

/** A counter whose lines are kept by whoever counts. */
export class Tally {
  private readonly lines = new Set<TallyLine>()
  private readonly counter: Counter

  constructor(registry: Registry, name: string, help: string, labelNames: string[]) {
    this.counter = new Counter({
      name,
      help,
      labelNames,
      registers: [registry],
      collect: () => this.publish(),
    })
  }

  /** A new line; keep it and add to its `count`. */
  line(...labels: string[]): TallyLine {
    const line = { count: 0, labels }
    this.lines.add(line)
    return line
  }

  /** All lines, those that counted nothing yet included. */
  all(): Iterable<TallyLine> {
    return this.lines
  }

  /** Takes lines of something departed out of the next scrape. */
  drop(lines: Iterable<TallyLine>): void {
    for (const line of lines) this.lines.delete(line)
  }

  private publish(): void {
    this.counter.reset()
    for (const { count, labels } of this.lines) if (count > 0) this.counter.labels(...labels).inc(count)
  }
}

/** The line of a node's `key`, made where it is new. */
export function lineOf<K extends string>(
  lines: Map<string, Map<K, TallyLine>>,
  node: string,
  key: K,
  tally: Tally,
): TallyLine {
  let own = lines.get(node)
  if (own === undefined) {
    own = new Map()
    lines.set(node, own)
  }
  let line = own.get(key)
  if (line === undefined) {
    line = tally.line(node, key)
    own.set(key, line)
  }
  return line
}
