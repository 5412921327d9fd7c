// What a primary tells a worker of its shares: how much, and what is left when the gateway is cut off from the others.
import { z } from 'zod'
import type { Rates } from '../model/quota-shares.ts'
import type { Pledges } from '../policy/pledges.ts'

export const ratesSchema = z.record(z.string(), z.number().min(0))

const lapse = z.object({
  /** When the gateway's lease ends unless it is renewed, ms by the machine's monotonic clock. */
  leaseAt: z.number(),
  /** What of each share is left then. */
  floors: ratesSchema,
  /** When nothing is. */
  forgottenAt: z.number(),
})
export type Lapse = z.output<typeof lapse>

export const toldSharesSchema = z.object({
  /** Counts up with every message to this worker. */
  number: z.int().min(0),
  shares: ratesSchema,
  /** A worker must not go on with shares that a primary, frozen or gone, can't renew. `null`: they don't end. */
  lapse: lapse.nullable(),
})
export type ToldShares = z.output<typeof toldSharesSchema>

/** What the shares of a gateway come to by time alone. */
export interface Lapsing {
  readonly ends: { readonly leaseAt: number; readonly forgottenAt: number }
  shares(): Pledges
  floors(): Rates
}

/** A worker's part of the gateway's floors is as large as its part of the gateway's shares. */
export function lapseOf(gateway: Lapsing, shares: Rates): Lapse {
  const all = gateway.shares()
  const floors = gateway.floors()
  const parts = Object.entries(shares).map(([name, share]) => {
    const { amount = 0, whole = false } = all[name] ?? {}
    const floor = amount === 0 ? 0 : (share * Math.min(amount, floors[name] ?? 0)) / amount
    return [name, whole ? Math.floor(floor) : floor] as const
  })
  const { leaseAt, forgottenAt } = gateway.ends
  // No message can tell of the infinite past.
  return {
    leaseAt: Math.max(0, leaseAt),
    floors: Object.fromEntries(parts),
    forgottenAt: Math.max(0, forgottenAt),
  }
}
