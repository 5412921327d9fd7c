// What is printed as a paper or family code: its name, until when, and a seal over both. Short, to be printed large.
// The seal only keeps guesses away: a printed code is looked up each time it is shown.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

export type SealFault = 'forged' | 'expired'
export type SealReading = { ok: true; name: string } | { ok: false; reason: SealFault }

/** @param validUntilMs Unix milliseconds; from that moment on the code no longer verifies. */
export function sealPrinted(name: string, validUntilMs: number, key: KeyObject): string {
  const claim = `${name}.${validUntilMs.toString(36)}`
  return `${claim}.${seal(claim, key)}`
}

/** The token in a code, or why it must not be believed. Anything unreadable counts as forged. */
export function openPrinted(code: string, nowMs: number, key: KeyObject): SealReading {
  const [name = '', expiry = '', given = '', ...rest] = code.split('.')
  const expected = Buffer.from(seal(`${name}.${expiry}`, key))
  const claimed = Buffer.from(given)
  const genuine =
    rest.length === 0 && claimed.length === expected.length && timingSafeEqual(claimed, expected)
  if (!genuine) return { ok: false, reason: 'forged' }
  return Number.parseInt(expiry, 36) > nowMs ? { ok: true, name } : { ok: false, reason: 'expired' }
}

const seal = (claim: string, key: KeyObject): string =>
  createHmac('sha256', key).update(claim).digest('base64url').slice(0, 22)
