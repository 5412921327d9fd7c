// Finds whom a request names, by whichever kind of id.
import type { Resident } from './resident.ts'
import type { CodeService } from './service.ts'
import { syntheticToken } from './synthetic.ts'
import { tokensOfId } from './tokens/token-id.ts'

/** @param residentId As `residentIdSchema` takes it. While peppers are rotated he may stand under any of its tokens. */
export function residentById(
  { store }: Pick<CodeService, 'store'>,
  residentId: string,
): Resident | undefined {
  for (const token of tokensOfId(residentId) ?? [syntheticToken(residentId)]) {
    const resident = store.residents.byToken(token)
    if (resident) return resident
  }
  return undefined
}

/**
 * The part of an id that a rotation of peppers leaves as it is: a request that is repeated under the same
 * Idempotency-Key is the same request, though a newer epoch's token has come before the old one.
 */
export const lastingId = (residentId: string): string => tokensOfId(residentId)?.at(-1) ?? residentId
