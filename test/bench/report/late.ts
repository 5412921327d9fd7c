// Says so where the load was behind its own appointments: then a figure is the load's as well as the contender's.
import type { Sample } from '../load/open.ts'
import { quantile, rounded } from '../stats.ts'
import { ms } from './table.ts'

export interface Lateness {
  /** What the load itself was behind its appointments, ms. */
  readonly lateP99Ms: number
  readonly lateMostMs: number
}

export const latenessOf = (samples: readonly Sample[]): Lateness => {
  const late = samples.map(({ lateMs }) => lateMs)
  return { lateP99Ms: rounded(quantile(late, 0.99), 1), lateMostMs: rounded(quantile(late, 1), 1) }
}

const toldFromMs = 20

/** Empty where the load kept its appointments. */
export function lateNote(runs: readonly (Lateness & { readonly run: string })[]): string {
  const late = runs.filter(({ lateP99Ms }) => lateP99Ms > toldFromMs)
  if (late.length === 0) return ''
  const told = late.map(({ run, lateP99Ms }) => `${run} (p99 ${ms(lateP99Ms)} ms)`)
  return `The load itself was late, so that these latencies are partly its own: ${told.join('; ')}.`
}
