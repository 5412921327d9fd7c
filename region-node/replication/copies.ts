// The copies that a node keeps of other homes, as the rest of the node sees them.
import type { CopyFacts, Standing } from './standing.ts'

export interface FollowedCopy {
  readonly home: string
  readonly facts: CopyFacts
  standing(): Standing
  /** Writes taken for home that are not known to be there. */
  waitingWrites(): number
}

export interface Copies {
  /** Undefined: this node does not follow that home. */
  find(home: string): FollowedCopy | undefined
  all(): readonly FollowedCopy[]
}

export const noCopies: Copies = { find: () => undefined, all: () => [] }

export function copiesOf(followed: readonly FollowedCopy[]): Copies {
  const byHome = new Map(followed.map((copy) => [copy.home, copy]))
  return { find: (home) => byHome.get(home), all: () => followed }
}
