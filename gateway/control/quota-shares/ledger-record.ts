// The ledger of the donors' quotas as the registry's record. No snapshot is made of it.
import { z } from 'zod'
import type { QuotaLedger } from '../../policy/quota-ledger.ts'

/** Not under `intent/`: nobody's snapshot, and no watch, is woken by it. */
export const ledgerKey = 'quota/shares'

const amount = z.number().min(0)
const count = z.int().min(0)

/** Held, floor, demand: a list, since there is one for each gateway and pledge. */
const claim = z
  .tuple([amount, amount, amount])
  .transform(([held, floor, demand]) => ({ held, floor, demand }))

// What a later release adds is no reason to be cut off from it.
export const ledgerSchema: z.ZodType<QuotaLedger> = z.object({
  writes: count,
  members: z.record(
    z.string(),
    z.object({
      life: z.string(),
      beat: count,
      leaseMs: amount,
      forgetMs: amount,
      claims: z.record(z.string(), claim),
    }),
  ),
})

/** As {@link ledgerSchema} reads it. */
export const ledgerRecord = ({ writes, members }: QuotaLedger): unknown => ({
  writes,
  members: mapped(members, ({ claims, ...member }) => ({
    ...member,
    claims: mapped(claims, ({ held, floor, demand }) => [held, floor, demand]),
  })),
})

const mapped = <T>(all: Readonly<Record<string, T>>, to: (one: T) => unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(all).map(([name, one]) => [name, to(one)]))
