// Asks a node for the colour of a paper that was found genuine on the device: the paper itself tells none.
import * as z from 'zod/mini'
import type { Colour } from './code-answer.ts'
import { colour } from './code-answer.ts'

export type PaperColour =
  | { readonly is: 'asked' }
  /** No network, nobody who answers, or nobody who holds that home. */
  | { readonly is: 'unknown' }
  /** Of a family the worst. `stale`: from a copy older than agreed. */
  | { readonly is: 'known'; readonly status: Colour; readonly stale: boolean }
  /** Home or its lists know better than the lists kept here. */
  | { readonly is: 'refused'; readonly why: Refusal }

export type Refusal = z.infer<typeof refusal>

const patienceMs = 8_000
const refusal = z.enum(['lost', 'revoked', 'expired', 'unknown-code'])
const verification = z.union([
  z.object({ valid: z.literal(true), status: colour, freshness: z.enum(['live', 'replica', 'stale']) }),
  z.object({ valid: z.literal(false), reason: refusal }),
])

/** Never throws: what can't be looked up stays unknown. */
export async function askForColour(code: string): Promise<PaperColour> {
  try {
    const answer = await fetch('v1/verifications', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ code }),
      cache: 'no-store',
      signal: AbortSignal.timeout(patienceMs),
    })
    const said = verification.safeParse(answer.ok ? await answer.json() : null)
    // Also where the node can't judge it, such as for want of a list: that is no word against the paper.
    if (!said.success) return { is: 'unknown' }
    return said.data.valid
      ? { is: 'known', status: said.data.status, stale: said.data.freshness === 'stale' }
      : { is: 'refused', why: said.data.reason }
  } catch {
    return { is: 'unknown' }
  }
}
