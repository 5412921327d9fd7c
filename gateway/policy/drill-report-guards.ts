// Guards of a drill that had something to say: those that were overruled to begin it, and what ended it before its time.
import type { DrillEnding, DrillRun } from '../model/drill.ts'

/** `overruled`: it objected, and somebody began all the same. `fired`: it ended the drill. */
export const guardParts = ['overruled', 'fired'] as const

export interface GuardHeard {
  /** An objection's name, or an ending's. */
  readonly guard: string
  readonly did: (typeof guardParts)[number]
  /** In words: which node, which figure. Empty where there is nothing to say. */
  readonly detail: string
}

/** Ends that are none of a guard's: its time, and a person who ended this one. */
const notByGuard: ReadonlySet<DrillEnding> = new Set<DrillEnding>(['time', 'owner'])

export const guardsOf = ({ overruled, ending, detail }: DrillRun): GuardHeard[] => [
  ...overruled.map((guard): GuardHeard => ({ guard, did: 'overruled', detail: '' })),
  ...(ending === null || notByGuard.has(ending)
    ? []
    : [{ guard: ending, did: 'fired', detail } satisfies GuardHeard]),
]
