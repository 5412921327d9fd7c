// Stand-down: a donor forgets a home's residents, and says so over its signature.
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import type { KeyRing } from '../signing/key-ring.ts'
import type { Store } from '../store/store.ts'
import { openCompactJws, readCompactJws } from '../verify/compact-jws.ts'
import { regionField, secondsOf, secondsField } from '../verify/fields.ts'
import type { TrustList } from '../verify/trust-list.ts'

/** Residents forgotten in one transaction: 10 ms, so that nobody notices. */
const atOnce = 500
const maxChars = 8_192

export const purgeClaimsSchema = z.strictObject({
  v: z.literal(1),
  /** The donor, who has forgotten. */
  iss: regionField,
  /** The home, whose residents they were. */
  hom: regionField,
  agreement: z.string().max(64),
  /** How many residents were held, and of how many it is held yet: of none. */
  residents: z.int().min(0),
  left: z.literal(0),
  iat: secondsField,
})

export type PurgeClaims = z.infer<typeof purgeClaimsSchema>

/** While another process keeps what was forgotten readable, it is looked at so often. */
const lookAgainMs = 500

/**
 * Forgets all residents of `home` and what hangs on them; the copy's own row stays, to be dropped with the certificate,
 * so that a node that is killed in between goes on where it was. Resolves when they are in no file of the store any more.
 *
 * @returns How many were held when it began, also if that was before a restart; null when `signal` ended it.
 */
export async function forgetResidents(
  store: Store,
  home: string,
  signal: AbortSignal,
): Promise<number | null> {
  const held = await store.write(() => beginForgetting(store, home))
  await forgetAnswers(store, home, signal)
  for (;;) {
    if (signal.aborted) return null
    const count = await store.write(() => store.copies.forget(home, atOnce))
    if (count === 0) break
    await turn()
  }
  await store.write(() => store.journal.forgetSettled(home))
  while (!store.copies.scrub()) {
    await wait(lookAgainMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return null
  }
  return held
}

/** From here on the copy serves nobody, whenever the node comes back, and it is known how much there was of it. */
function beginForgetting(store: Store, home: string): number {
  const copy = store.copies.find(home)
  const residents = store.copies.count(home)
  if (copy === undefined) return residents
  const begun = store.holdings.all().find(({ region }) => region === home)
  if (!copy.whole && copy.currentAtMs === 0 && begun !== undefined)
    return Math.max(begun.residents, residents)
  store.copies.put({ ...copy, whole: false, currentAtMs: 0 })
  store.holdings.put({ region: home, residents, refreshedAtMs: copy.currentAtMs })
  return residents
}

const answerSchema = z.object({ residentToken: z.string() })

/** First answers by Idempotency-Key name the resident whom they were about. */
async function forgetAnswers(store: Store, home: string, signal: AbortSignal): Promise<void> {
  const ofHome = (body: string): boolean => {
    const token = answerSchema.safeParse(JSON.parse(body)).data?.residentToken
    return token !== undefined && store.residents.byToken(token)?.homeRegion === home
  }
  let at: string | undefined = ''
  while (at !== undefined && !signal.aborted) {
    const from: string = at
    at = await store.write(() => store.answers.forgetSome(from, atOnce, ofHome))
    await turn()
  }
}

/** Null: no key may sign now. */
export async function signPurge(
  ring: KeyRing,
  {
    home,
    agreement,
    residents,
    nowMs,
  }: { home: string; agreement: string; residents: number; nowMs: number },
): Promise<string | null> {
  const signer = ring.signerAt(nowMs)
  if (signer === null) return null
  const claims: PurgeClaims = {
    v: 1,
    iss: ring.region,
    hom: home,
    agreement,
    residents,
    left: 0,
    iat: secondsOf(nowMs),
  }
  return signer.sign('chiyuan-purge-certificate', claims)
}

/** What a certificate says; null: nobody in the trust list signed it for that donor. */
export async function readPurge(text: string, donor: string, trust: TrustList): Promise<PurgeClaims | null> {
  const read = readCompactJws(text, ['chiyuan-purge-certificate'], maxChars)
  if (!read.ok) return null
  const key = trust.keys.get(read.jws.kid)
  if (key === undefined || key.region !== donor) return null
  const opened = await openCompactJws(read.jws, key.key)
  if (!opened.ok) return null
  const claims = purgeClaimsSchema.safeParse(opened.payload).data
  return claims?.iss === donor && claims.iat >= key.nbf && claims.iat < key.exp ? claims : null
}
