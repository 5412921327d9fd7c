// The kinds of value that codes and lists are made of, each with its bounds.
import { z } from 'zod'

/** A division code (vocabulary aligned with GB/T 2260). */
export const regionField = z.string().regex(/^[1-9]\d{5}$/, 'a six-digit division code such as 610100')

/** The thumbprint of a key (RFC 7638): SHA-256 as base64url. */
export const kidField = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'a JWK thumbprint of 43 characters (RFC 7638)')

/** Seconds since 1970, as in a JWT (RFC 7519 section 2), up to the year 2286. */
export const secondsField = z
  .int({ error: 'whole seconds since 1970' })
  .min(0, 'whole seconds since 1970')
  .max(9_999_999_999, 'whole seconds since 1970, not milliseconds')

/** Counts up with every issue of a list; safe in any JSON parser. */
export const counterField = z
  .int({ error: 'a whole number from 1' })
  .min(1, 'a whole number from 1')
  .max(Number.MAX_SAFE_INTEGER, `a whole number up to ${Number.MAX_SAFE_INTEGER}`)

/** An opaque token: never a number that a person has on a card. */
export const subjectField = z
  .string()
  .regex(/^[A-Za-z0-9_-]{16,64}$/, 'a token of 16 to 64 letters, digits, "_" or "-"')

/** The name by which one code can be revoked. */
export const revocationIdField = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,24}$/, 'a revocation id of 8 to 24 letters, digits, "_" or "-"')

export const secondsOf = (ms: number): number => Math.floor(ms / 1000)
