// What a gateway tells of sharing donors' quotas with others.

/**
 * How a gateway stands to the others that share donors' quotas:
 * - `shared`: its lease is renewed and its shares follow demand;
 * - `last-share`: cut off from the others, it keeps the shares that it had;
 * - `reserved`: cut off for longer than its lease, it keeps the minimum that nobody else may have;
 * - `none`: it has no share yet, or was cut off for so long that nothing is reserved any more.
 */
export const quotaSharingStates = ['shared', 'last-share', 'reserved', 'none'] as const
export type QuotaSharingState = (typeof quotaSharingStates)[number]

export interface PledgeShare {
  /** Such as `610400 rps`. */
  readonly pledge: string
  /** What the donor pledges in all. */
  readonly amount: number
  /** What of it this gateway may lend now. */
  readonly share: number
}

export interface QuotaSharing {
  readonly state: QuotaSharingState
  /** Since when the ledger can't be read or written, wall-clock ms, and why; `null` while it can. */
  readonly lost: { readonly since: number; readonly detail: string } | null
  /** Gateways in the ledger when it was seen last, this one included. */
  readonly gateways: number
  /** What is left of the lease, ms; 0 when it has ended. */
  readonly leaseMs: number
  readonly pledges: readonly PledgeShare[]
}
