// What a trust list is signed from: a file that names each region's JWK set and each agreement.
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { ConfigError, showValue } from '../../config/problem.ts'
import type { ConfigProblem } from '../../config/problem.ts'
import type { TrustListContent } from '../../region-node/signing/list-signer.ts'
import { jwksSchema } from '../../region-node/verify/public-key.ts'
import type { Jwks } from '../../region-node/verify/public-key.ts'
import { UsageError } from '../model/errors.ts'
import { fieldName } from '../../config/yaml-source.ts'
import { instantValue, readDescription, regionValue } from './description.ts'
import type { Description } from './description.ts'
import { parseJson, readInput } from './input-file.ts'

const schema = z.strictObject({
  issuers: z
    .array(z.strictObject({ region: regionValue, jwks: z.string().min(1, 'the file of a JWK set') }))
    .min(1, 'a list of at least one region'),
  delegations: z
    .array(z.strictObject({ donor: regionValue, hom: regionValue, from: instantValue, until: instantValue }))
    .default([]),
})

type Content = z.output<typeof schema>
type Issuers = TrustListContent['issuers']

/** @throws {ConfigError} with everything that is wrong, in the description and in the JWK sets that it names. */
export async function readTrustDescription(
  text: string,
  file: string,
): Promise<Pick<TrustListContent, 'issuers' | 'delegations'>> {
  const { content, place, raw, problems: found } = readDescription(text, file, schema, true)
  const problems = [...found]
  if (content !== null) problems.push(...regionsTwice(content, place), ...delegationProblems(content, place))
  const issuers = await readIssuers(raw, dirname(file), (i, message) => {
    const path = ['issuers', i, 'jwks']
    problems.push({ place: place(path), field: fieldName(path), message })
  })
  if (problems.length > 0 || content === null) throw new ConfigError(problems)
  return { issuers, delegations: content.delegations }
}

// Looser than `schema`, so that a fault elsewhere does not hide those of the JWK sets.
const jwksNamed = z.object({
  issuers: z.array(z.object({ region: regionValue.catch(''), jwks: z.string().catch('') })),
})

async function readIssuers(
  raw: unknown,
  folder: string,
  complain: (issuer: number, message: string) => void,
): Promise<Issuers> {
  const named = jwksNamed.safeParse(raw)
  const issuers: Issuers = []
  const owners = new Map<string, string>()
  for (const [i, { region, jwks }] of (named.data?.issuers ?? []).entries()) {
    if (jwks === '') continue
    const read = await readJwks(resolve(folder, jwks))
    for (const fault of read.faults) complain(i, `${showValue(jwks)}: ${fault}`)
    for (const { kid } of read.keys) {
      const owner = owners.get(kid)
      if (owner !== undefined)
        complain(i, `${showValue(jwks)}: key ${kid} is listed for ${owner} already; keep one`)
      owners.set(kid, region)
    }
    issuers.push({ region, keys: [...read.keys] })
  }
  return issuers
}

type Place = Description<Content>['place']

function* regionsTwice(content: Content, place: Place): Generator<ConfigProblem> {
  const seen = new Set<string>()
  for (const [i, { region }] of content.issuers.entries()) {
    const path = ['issuers', i, 'region']
    if (seen.has(region)) {
      yield {
        place: place(path),
        field: fieldName(path),
        message: `${region} stands twice; keep one entry for it`,
      }
    }
    seen.add(region)
  }
}

function* delegationProblems(content: Content, place: Place): Generator<ConfigProblem> {
  const listed = new Set(content.issuers.map(({ region }) => region))
  for (const [i, { donor, hom, from, until }] of content.delegations.entries()) {
    const problem = (name: string, message: string): ConfigProblem => {
      const path = ['delegations', i, name]
      return { place: place(path), field: fieldName(path), message }
    }
    if (donor === hom) yield problem('donor', `${donor} can't be its own donor; name another region`)
    else if (!listed.has(donor))
      yield problem('donor', `${donor} has no keys under issuers; add its JWK set there`)
    if (until <= from) yield problem('until', 'not later than from; an agreement ends after it begins')
  }
}

interface JwksReading {
  readonly keys: Jwks['keys']
  readonly faults: readonly string[]
}

async function readJwks(file: string): Promise<JwksReading> {
  try {
    const read = jwksSchema.safeParse(parseJson(await readInput(file, 'a JWK set', 64 * 1024), file))
    if (read.success) return { keys: read.data.keys, faults: [] }
    // Without the values: somebody may have named the private file.
    const faults = read.error.issues.map(
      ({ path, message }) => `${fieldName(path) || 'the file'}: ${message}`,
    )
    return { keys: [], faults: faults.map((fault) => `${fault}; print it with: chiyuan keys jwks`) }
  } catch (cause) {
    if (cause instanceof UsageError) return { keys: [], faults: [cause.message] }
    throw cause
  }
}
