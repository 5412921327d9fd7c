// When nodes in a drill's scope would have been found out by themselves, with nobody's hand on their breakers.
import type { FaultKind } from '../model/drill.ts'
import type { NodeId } from '../model/ids.ts'

/**
 * Who found it out first:
 * - `breaker`: the cohort's own breaker opened on what its requests met;
 * - `control`: a breaker that keeps nobody off would have opened on what the control's requests met;
 * - `probes`: it was down by its probes.
 *
 * Silence is none of them: a slow node is put off for moments by it, and is not ill.
 */
export const foundBy = ['breaker', 'control', 'probes'] as const
export type FoundBy = (typeof foundBy)[number]

/** What was heard of one node while the fault was on. */
export interface NodeHeard {
  readonly node: NodeId
  /** Wall-clock milliseconds since 1970 at which it was, or would have been, found out; `null`: it was not. */
  readonly at: number | null
  readonly by: FoundBy | null
  /** Answers and failures that a breaker counts, of those whom {@link isKeptOff} names. */
  readonly answers: number
  readonly failures: number
}

/**
 * Why it would not have tripped: nothing that a breaker counts came back from it (`nothing-heard`), nothing of it failed
 * (`nothing-failed`), or less than opens a breaker (`too-few-failed`).
 */
export const staysClosedFor = ['nothing-heard', 'nothing-failed', 'too-few-failed'] as const
export type StaysClosedFor = (typeof staysClosedFor)[number]

export interface OwnTrip extends NodeHeard {
  /** `null` where it would have tripped. */
  readonly reason: StaysClosedFor | null
}

/** The cohort sends nothing to the nodes, or not for long: what they are like only the control's requests can tell. */
export const isKeptOff = (fault: FaultKind): boolean => fault === 'trip' || fault === 'probe-fail'

export const ownTrip = (heard: NodeHeard): OwnTrip => ({ ...heard, reason: reasonOf(heard) })

function reasonOf({ at, answers, failures }: NodeHeard): StaysClosedFor | null {
  if (at !== null) return null
  if (answers === 0) return 'nothing-heard'
  return failures === 0 ? 'nothing-failed' : 'too-few-failed'
}

/** What was heard in the making, by node. */
export class OwnTrips {
  private readonly nodes = new Map<NodeId, { -readonly [K in keyof NodeHeard]: NodeHeard[K] }>()

  /** It meets the fault from now on. */
  watch(node: NodeId): void {
    this.of(node)
  }

  heard(node: NodeId, failed: boolean): void {
    const one = this.of(node)
    one.answers += 1
    if (failed) one.failures += 1
  }

  /** Keeps the first. */
  found(node: NodeId, at: number, by: FoundBy): void {
    const one = this.of(node)
    if (one.at !== null) return
    one.at = at
    one.by = by
  }

  read(): NodeHeard[] {
    return Array.from(this.nodes.values(), (one) => ({ ...one }))
  }

  private of(node: NodeId) {
    let one = this.nodes.get(node)
    if (one === undefined) {
      one = { node, at: null, by: null, answers: 0, failures: 0 }
      this.nodes.set(node, one)
    }
    return one
  }
}

/** What several processes heard, as one: whoever found it out first counts. */
export function allHeard(a: readonly NodeHeard[], b: readonly NodeHeard[]): NodeHeard[] {
  const sum = new Map(a.map((one) => [one.node, one]))
  for (const one of b) {
    const same = sum.get(one.node)
    sum.set(one.node, same === undefined ? one : together(same, one))
  }
  return [...sum.values()].toSorted((x, y) => (x.node < y.node ? -1 : 1))
}

function together(a: NodeHeard, b: NodeHeard): NodeHeard {
  const first = (a.at ?? Infinity) <= (b.at ?? Infinity) ? a : b
  return { ...first, answers: a.answers + b.answers, failures: a.failures + b.failures }
}
