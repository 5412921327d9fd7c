// The short-lived code that a resident shows: who (by token), until when, and a seal over both.
// A stand-in of the demonstration until region nodes sign: the seal is a MAC under one shared key.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export type CodeFault = 'forged' | 'expired'
export type CodeReading = { ok: true; residentToken: string } | { ok: false; reason: CodeFault }

/** @param validUntilMs Unix milliseconds; from that moment on the code no longer verifies. */
export function issueDisplayCode(residentToken: string, validUntilMs: number, key: KeyObject): string {
  const claim = `${residentToken}.${validUntilMs.toString(36)}`
  return `${claim}.${seal(claim, key)}`
}

/** The token in a code, or why it must not be believed. Anything unreadable counts as forged. */
export function readDisplayCode(code: string, nowMs: number, key: KeyObject): CodeReading {
  const [residentToken = '', expiry = '', given = '', ...rest] = code.split('.')
  const expected = Buffer.from(seal(`${residentToken}.${expiry}`, key))
  const claimed = Buffer.from(given)
  const genuine =
    rest.length === 0 && claimed.length === expected.length && timingSafeEqual(claimed, expected)
  if (!genuine) return { ok: false, reason: 'forged' }
  return Number.parseInt(expiry, 36) > nowMs ? { ok: true, residentToken } : { ok: false, reason: 'expired' }
}

const seal = (claim: string, key: KeyObject): string =>
  createHmac('sha256', key).update(claim).digest('base64url').slice(0, 22)
