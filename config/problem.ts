// What is wrong with a configuration, in words that let its author mend it: place, field, value, remedy.
import { UsageError } from '../gateway/model/errors.ts'

export interface ConfigProblem {
  /** `config.yaml:12`, or the name of the environment variable. */
  readonly place: string
  /** Dotted path of the field, such as `breaker.windowMs`; empty for the whole file. */
  readonly field: string
  readonly message: string
}

/** Every problem of a configuration at once, one a line. */
export class ConfigError extends UsageError {
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(formatProblem).join('\n'))
    this.problems = problems
  }
}

export const formatProblem = (problem: ConfigProblem): string =>
  `${problem.place}: ${problem.field === '' ? '' : `${problem.field}: `}${problem.message}`

/** A value as its author would recognise it, on one line and not too long. */
export function showValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

/** The candidate within two edits of `word`, or `null`: for "did you mean". */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null
  let bestDistance = 3
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** Levenshtein distance, row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
