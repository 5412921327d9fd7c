// From the claims of a token whose signature stands to an operator, or what the token lacks.
import { createHash } from 'node:crypto'
import type { OidcSettings } from '../../../config/admin-schema.ts'
import { isRegionId, type RegionId } from '../../model/ids.ts'
import type { RegionScope, Role } from '../../model/operator.ts'
import type { Admission } from './credentials.ts'

type Claims = Readonly<Record<string, unknown>>

/** Of RFC 9068, and what providers give that came before it. */
const accessTypes = new Set(['at+jwt', 'application/at+jwt', 'jwt', undefined])

/**
 * What tells that a token is good for something else: an ID token says who logged in to which page, and whoever runs
 * that page has it too.
 * @returns `null` for an access token.
 */
export function kindFault(typ: string | undefined, claims: Claims): string | null {
  if (!accessTypes.has(typ?.toLowerCase())) return 'this is no access token, by its typ'
  if (['nonce', 'at_hash', 'c_hash'].some((name) => Object.hasOwn(claims, name))) {
    return 'this is an ID token; send the access token'
  }
  const kind = claims['typ']
  if (kind !== undefined && kind !== 'Bearer') return 'this is no access token, by its claim typ'
  if (Object.hasOwn(claims, 'cnf')) return 'this token is bound to a key (cnf), which this API does not check'
  return null
}

const scopeAtMost = 100

export function operatorOf(claims: Claims, settings: OidcSettings): Admission {
  const { issuer, nameClaim } = settings
  const { sub } = claims
  if (typeof sub !== 'string' || sub === '')
    return { unfit: 'this access token does not say whose it is (sub)' }
  const name = nameOf(claimAt(claims, nameClaim))
  if (name === null) {
    return {
      forbidden: `the claim ${nameClaim.join('.')} must hold the person’s name, of 1 to 100 characters`,
    }
  }
  const roles = rolesOf(claims, settings)
  if (roles.length === 0) {
    const wanted = Object.keys(settings.roles).join(', ')
    return { forbidden: `the claim ${settings.rolesClaim.join('.')} holds none of ${wanted}` }
  }
  const scope = scopeOf(claims, settings)
  if (scope === null) {
    return {
      forbidden: `the claim ${settings.scopeClaim?.join('.') ?? ''} must hold 1 to ${scopeAtMost} region codes, or *`,
    }
  }
  return { operator: { id: idOf(issuer, sub), name, roles, scope, by: 'oidc' } }
}

/** The same for one subject always, and nothing that the subject, perhaps a citizen's number, could be read from at a glance. */
const idOf = (issuer: string, subject: string): string =>
  `oidc-${createHash('sha256')
    .update(JSON.stringify([issuer, subject]))
    .digest('hex')
    .slice(0, 16)}`

function nameOf(value: unknown): string | null {
  if (typeof value !== 'string' || !value.isWellFormed()) return null
  const name = value.trim()
  // The audit log holds it for good, and no citizen's number may stand there.
  const good = name !== '' && name.length <= 100 && !/\p{Cc}|\p{Cf}|\d{17}[\dXx]/u.test(name)
  return good ? name : null
}

function rolesOf(claims: Claims, { rolesClaim, roles }: OidcSettings): Role[] {
  const given = textsOf(claimAt(claims, rolesClaim)).flatMap((value) =>
    Object.hasOwn(roles, value) ? (roles[value] ?? []) : [],
  )
  return [...new Set(given)]
}

/** `null` where the token names none, or something else: it must not fall back to more than was meant. */
function scopeOf(claims: Claims, { scope, scopeClaim }: OidcSettings): RegionScope | null {
  const codes = scopeClaim === undefined ? (scope ?? []) : textsOf(claimAt(claims, scopeClaim))
  if (codes === '*') return '*'
  if (codes.length === 1 && codes[0] === '*') return '*'
  const good: RegionId[] = codes.filter(isRegionId)
  return good.length === codes.length && good.length >= 1 && good.length <= scopeAtMost ? good : null
}

function claimAt(claims: Claims, path: readonly string[]): unknown {
  let value: unknown = claims
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = Object.entries(value).find(([key]) => key === name)?.[1]
  }
  return value
}

/** A list of texts, or one text with spaces between, as OAuth's scopes are. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return value.split(' ').filter((part) => part !== '')
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}
