// Who operates the federation, and what each may do.
import type { RegionId } from './ids.ts'

export const roles = ['viewer', 'operator', 'approver', 'drill-lead', 'admin'] as const
/**
 * `viewer` sees everything; `operator` enrols, holds and sets the mode; `approver` approves what another submitted;
 * `drill-lead` runs drills; `admin` does all of it and gives out tokens. Each sees what a viewer does.
 */
export type Role = (typeof roles)[number]

/** One thing that somebody may be allowed to do. */
export const permissions = ['read', 'hold', 'set-mode', 'enrol', 'approve', 'drill', 'manage-tokens'] as const
export type Permission = (typeof permissions)[number]

/** `*`, or the divisions that somebody answers for, each with all below it. */
export type RegionScope = '*' | readonly RegionId[]

/** Somebody who was let in. */
export interface Operator {
  /** Of the token or of the identity provider's subject; stands in the audit log. */
  readonly id: string
  /** The person: two tokens of one person carry one name. */
  readonly name: string
  readonly roles: readonly Role[]
  readonly scope: RegionScope
  readonly by: 'token' | 'oidc' | 'command-line'
}
