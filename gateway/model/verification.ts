// What a verification of an enrolment looked at, and what it found.
import type { NodeId } from './ids.ts'

export interface Text {
  readonly zh: string
  readonly en: string
}

/** In the order in which they are made; all but the last of each node by itself. */
export const checkNames = ['connect', 'tls', 'clock', 'ready', 'data', 'code', 'ramp'] as const
export type CheckName = (typeof checkNames)[number]

export interface Check {
  readonly name: CheckName
  /** `null` for what is of all nodes together. */
  readonly node: NodeId | null
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly detail: Text
  /** Units stand in the names. */
  readonly measured: Readonly<Record<string, number | string | null>>
}

export interface VerificationReport {
  readonly enrolment: string
  readonly termsHash: string
  /** Wall-clock milliseconds since 1970. */
  readonly startedAt: number
  readonly endedAt: number
  /** `aborted`: somebody broke it off; it says nothing of the donor. */
  readonly verdict: 'passed' | 'failed' | 'aborted'
  /** Why it is no pass, and what a pass leaves open. */
  readonly reasons: readonly Text[]
  readonly checks: readonly Check[]
}

export type VerificationProgress =
  | { readonly kind: 'began'; readonly name: CheckName; readonly node: NodeId | null }
  | { readonly kind: 'ended'; readonly check: Check }
  /** One step of the ramp has ended, of `steps` in all. */
  | {
      readonly kind: 'ramp'
      readonly step: number
      readonly steps: number
      readonly rps: number
      readonly requests: number
      readonly p99Ms: number
    }
