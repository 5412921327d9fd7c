// A region's offer to serve others' residents, and how far it has come from a draft to serving.
import type { NodeId, RegionId } from './ids.ts'
import type { NodeTrust } from './node-trust.ts'
import type { Tier } from './region.ts'

export const enrolmentStates = [
  'draft',
  'submitted',
  'verified',
  'approved',
  'active',
  'suspended',
  'withdrawn',
] as const
/** `withdrawn` is final; from `suspended` it may go on. */
export type EnrolmentState = (typeof enrolmentStates)[number]

export const stepKinds = [
  'edit',
  'submit',
  'verify',
  'return',
  'approve',
  'activate',
  'suspend',
  'resume',
  'withdraw',
] as const
/** `return` gives it back to its author as a draft. `edit` does so too, where it had been submitted. */
export type StepKind = (typeof stepKinds)[number]

/** What may be lent of a resident besides token, colour and time of change; named as region nodes' agreements do. */
export const lentFields = ['testTime', 'testResult'] as const
export type LentField = (typeof lentFields)[number]

/** Who takes a step. Two accounts of one person carry one name. */
export interface Actor {
  readonly id: string
  readonly name: string
}

export interface EnrolledNode {
  readonly id: NodeId
  /** As in the configuration file: scheme, host, port, and a path that is put before every request's. */
  readonly url: string
  /** Share relative to its siblings, above 0. */
  readonly weight: number
  /** Requests it may have open at once; `null` where none was declared. */
  readonly limit: number | null
}

/** Time of day `HH:MM` in Asia/Shanghai. */
export type TimeOfDay = string

/** What is agreed upon, verified and approved as one. */
export interface EnrolmentTerms {
  readonly donor: {
    readonly code: RegionId
    readonly name: { readonly zh: string; readonly en: string }
    readonly tier: Tier
  }
  /** Regions whose residents it will serve. */
  readonly homes: readonly RegionId[]
  readonly nodes: readonly EnrolledNode[]
  readonly limit: {
    /** Requests a second of others' residents, above 0. */
    readonly rps: number
    /** The same as requests open at once; `null` where only the rate is bounded. */
    readonly concurrent: number | null
  }
  /** Share of each node's limit kept for the donor's own residents, 0 to 1. */
  readonly reserve: number
  /** Daily window in which it serves; it wraps midnight where `until` is before `from`. `null`: always. */
  readonly hours: { readonly from: TimeOfDay; readonly until: TimeOfDay } | null
  readonly data: {
    readonly fields: readonly LentField[]
    /** How far its copies may be behind, s. */
    readonly rpoSeconds: number
  }
  /** An office, never a resident. */
  readonly contact: { readonly office: string; readonly phone: string; readonly email: string }
  /** Wall-clock milliseconds since 1970: the first moment of validity and the first after it. */
  readonly validFrom: number
  readonly validUntil: number
  readonly tls: NodeTrust
}

export interface HistoryEntry {
  readonly step: StepKind | 'create'
  readonly from: EnrolmentState | null
  readonly to: EnrolmentState
  readonly by: Actor
  /** Wall-clock milliseconds since 1970. */
  readonly at: number
  /** Why, in their words. */
  readonly reason: string | null
}

/** What a verification came to, as far as a decision needs it. */
export interface VerificationRecord {
  readonly passed: boolean
  /** Hash of the terms that were verified. */
  readonly termsHash: string
  /** Wall-clock milliseconds since 1970 at which it ended. */
  readonly at: number
  /** The reasons of its verdict, one a line. */
  readonly reasons: readonly string[]
}

export interface Enrolment {
  /** Unique in the federation. */
  readonly id: string
  readonly state: EnrolmentState
  readonly terms: EnrolmentTerms
  readonly createdAt: number
  /** Who submitted it last; `null` for a draft. */
  readonly submittedBy: Actor | null
  /** The last of the terms as they stand. */
  readonly verification: VerificationRecord | null
  readonly approval: { readonly by: Actor; readonly at: number; readonly termsHash: string } | null
  /** Since when it serves without a pause, which its ramp counts from; `null` unless `active`. */
  readonly servingSince: number | null
  /** When it ceased to serve by a step; `null` while it serves or if it never did. */
  readonly servedUntil: number | null
  /** The latest steps, oldest first; the audit log has all. */
  readonly history: readonly HistoryEntry[]
}
