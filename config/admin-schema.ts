// The part of the schema that says whose operators are let in.
import { z } from 'zod'
import { ms } from './fields.ts'
import { regionCode } from './region-schema.ts'
import { roles } from '../gateway/model/operator.ts'

/** Only asymmetric ones: whoever can check such a token can't make one. */
const algorithms = [
  'ES256',
  'ES384',
  'ES512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'EdDSA',
  'Ed25519',
] as const

const providerUrl = z
  .url({ protocol: /^https?$/ })
  .refine(isHttpsOrLocal, 'an https URL; keys that come in the clear could be anybody’s')

const claim = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1).max(8)])
  .transform((path) => (typeof path === 'string' ? [path] : path))

export const oidc = z
  .strictObject({
    issuer: providerUrl.describe('`iss` of the tokens, letter by letter.'),
    audience: z.string().min(1).describe('`aud` that a token must name: this API, not another client.'),
    jwksUri: providerUrl
      .optional()
      .describe('Where the keys are; without it they are looked for by the issuer’s own metadata.'),
    caFile: z
      .string()
      .min(1)
      .optional()
      .describe('Authorities that the provider’s TLS is held to, PEM; else the system’s.'),
    algorithms: z
      .array(z.enum(algorithms))
      .min(1)
      .default(['ES256', 'RS256', 'PS256', 'EdDSA'])
      .describe('Algorithms that are taken.'),
    rolesClaim: claim
      .prefault('roles')
      .describe(
        'Claim that holds the roles; a list names a claim in a claim, such as [realm_access, roles].',
      ),
    roles: z
      .record(z.string().min(1), z.enum(roles))
      .refine((map) => Object.keys(map).length > 0, 'at least one role')
      .describe('Role here by value of that claim.'),
    scopeClaim: claim
      .optional()
      .describe(
        'Claim that holds the region codes that somebody answers for, or `*`. Either this or `scope`.',
      ),
    scope: z
      .union([z.literal('*'), z.array(regionCode).min(1).max(100)])
      .optional()
      .describe('Regions that all of them answer for, `*` for all.'),
    nameClaim: claim
      .prefault('name')
      .describe('Claim that holds the person’s name, as the audit log shows it.'),
    clockToleranceMs: ms(0, 300_000, 30_000, 'How far the provider’s clock may be off.'),
    longestAgeMs: ms(
      60_000,
      86_400_000,
      3_600_000,
      'Oldest token that is taken, by its `iat`, whatever its `exp`.',
    ),
  })
  .refine(({ scope, scopeClaim }) => (scope === undefined) !== (scopeClaim === undefined), {
    message: 'give either scope or scopeClaim',
    path: ['scope'],
  })
  .describe('An identity provider whose access tokens (JWT) are taken beside the gateway’s own.')
export type OidcSettings = z.output<typeof oidc>

function isHttpsOrLocal(text: string): boolean {
  const { protocol, hostname } = new URL(text)
  return (
    protocol === 'https:' ||
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    /^127(?:\.\d+){3}$/.test(hostname)
  )
}
