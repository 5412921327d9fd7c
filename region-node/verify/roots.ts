// The trust roots: whose signature makes a trust list. They reach a verifier by hand, not by the network.
import { z } from 'zod'
import type { RootKey } from './lists.ts'
import { importPublicKey, jwksSchema, publicKeySchema, signingEnds } from './public-key.ts'
import { faultsOf } from './trust-list.ts'

export type RootsReading = { ok: true; roots: readonly RootKey[] } | { ok: false; detail: string }

/** @param document A public JWK, or a JWK set where one root follows another. */
export async function readRoots(document: unknown): Promise<RootsReading> {
  const isSet = z.object({ keys: z.unknown() }).safeParse(document).success
  const read = (isSet ? jwksSchema : publicKeySchema.transform((key) => ({ keys: [key] }))).safeParse(
    document,
  )
  if (!read.success) return { ok: false, detail: faultsOf(read.error) }
  const roots: RootKey[] = []
  for (const jwk of read.data.keys) {
    const imported = await importPublicKey(jwk)
    if (!imported.ok) return { ok: false, detail: imported.reason }
    const { kid, nbf, exp } = jwk
    roots.push({ kid, nbf, exp, signsUntil: signingEnds(jwk), key: imported.key })
  }
  return { ok: true, roots }
}
