// The trust list: which keys speak for which region, and which region may sign for another one's residents.
import type { CryptoKey } from 'jose'
import { z } from 'zod'
import { counterField, regionField, secondsField } from './fields.ts'
import { importPublicKey, publicKeySchema, signingEnds } from './public-key.ts'

const delegationSchema = z
  .strictObject({
    /** Region that signs. */
    donor: regionField,
    /** Region for whose residents it may. */
    hom: regionField,
    from: secondsField,
    until: secondsField,
  })
  .refine(({ from, until }) => until > from, { path: ['until'], message: 'later than "from"' })
  .refine(({ donor, hom }) => donor !== hom, { path: ['donor'], message: 'another region than hom' })

export type Delegation = z.infer<typeof delegationSchema>

const issuerSchema = z.strictObject({
  region: regionField,
  keys: z.array(publicKeySchema).min(1).max(16),
})

export const trustListSchema = z
  .strictObject({
    v: z.literal(1),
    counter: counterField,
    iat: secondsField,
    /** When a newer one is due: from then on this one is too old, whatever a verifier would allow. */
    nextUpdate: secondsField,
    issuers: z.array(issuerSchema).min(1).max(4_000),
    delegations: z.array(delegationSchema).max(20_000),
  })
  .refine(({ iat, nextUpdate }) => nextUpdate > iat, { path: ['nextUpdate'], message: 'above iat' })
  .superRefine(({ issuers }, context) => {
    for (const [path, message] of namedTwice(issuers)) context.addIssue({ code: 'custom', path, message })
  })

export type TrustListDocument = z.infer<typeof trustListSchema>

/** A key that is present in the list, which is the whole test of its validity. */
export interface IssuerKey {
  readonly kid: string
  readonly region: string
  readonly nbf: number
  readonly exp: number
  /** Nothing that is issued from then on is believed, seconds; `exp` at the latest. */
  readonly signsUntil: number
  readonly key: CryptoKey
}

export interface TrustList {
  readonly counter: number
  readonly iat: number
  readonly nextUpdate: number
  readonly keys: ReadonlyMap<string, IssuerKey>
  /** By `donor>hom`. */
  readonly delegations: ReadonlyMap<string, readonly Delegation[]>
  /** The JWS that it came in. */
  readonly text: string
}

export type TrustListReading = { ok: true; list: TrustList } | { ok: false; detail: string }

/** The list as verifiers use it, its keys imported once. */
export async function readTrustList(payload: unknown, text: string): Promise<TrustListReading> {
  const read = trustListSchema.safeParse(payload)
  if (!read.success) return { ok: false, detail: faultsOf(read.error) }
  const { counter, iat, nextUpdate, issuers, delegations } = read.data
  const keys = new Map<string, IssuerKey>()
  for (const { region, keys: documents } of issuers) {
    for (const document of documents) {
      const imported = await importPublicKey(document)
      if (!imported.ok) return { ok: false, detail: imported.reason }
      const { kid, nbf, exp } = document
      keys.set(kid, { kid, region, nbf, exp, signsUntil: signingEnds(document), key: imported.key })
    }
  }
  const byPair = new Map<string, Delegation[]>()
  for (const delegation of delegations) {
    const pair = pairOf(delegation.donor, delegation.hom)
    const same = byPair.get(pair)
    if (same === undefined) byPair.set(pair, [delegation])
    else same.push(delegation)
  }
  return { ok: true, list: { counter, iat, nextUpdate, keys, delegations: byPair, text } }
}

/** Every agreement by which `donor` may sign for residents of `hom`, past and future ones too. */
export const delegationsOf = (list: TrustList, donor: string, hom: string): readonly Delegation[] =>
  list.delegations.get(pairOf(donor, hom)) ?? []

/** Dotted path and remedy of each fault. Values stay out: one may be a private key given by mistake. */
export const faultsOf = (error: z.ZodError): string =>
  error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .join('; ')

const pairOf = (donor: string, hom: string): string => `${donor}>${hom}`

// Of two keys with one name the verifier would have to choose, and an attacker would help it to.
function* namedTwice(issuers: TrustListDocument['issuers']): Generator<[(string | number)[], string]> {
  const regions = new Set<string>()
  const kids = new Set<string>()
  for (const [i, { region, keys }] of issuers.entries()) {
    if (regions.has(region)) yield [['issuers', i, 'region'], `${region} stands twice; keep one entry for it`]
    regions.add(region)
    for (const [j, { kid }] of keys.entries()) {
      if (kids.has(kid)) yield [['issuers', i, 'keys', j, 'kid'], `${kid} stands twice; a key is listed once`]
      kids.add(kid)
    }
  }
}
