// Identity documents as terminals read them: which kinds there are, and one spelling for each number.
import { checkDigit, citizenNumberFault } from './citizen-number.ts'
import type { CitizenNumberFault } from './citizen-number.ts'
import { looksSynthetic } from './synthetic-number.ts'

/**
 * `resident-id-card` 居民身份证, `passport` 护照, `home-return-permit` 港澳居民来往内地通行证,
 * `taiwan-permit` 台湾居民来往大陆通行证, `permanent-residence` 外国人永久居留身份证;
 * `synthetic` is nobody's.
 */
export const DOCUMENT_TYPES = [
  'resident-id-card',
  'passport',
  'home-return-permit',
  'taiwan-permit',
  'permanent-residence',
  'synthetic',
] as const

export type DocumentType = (typeof DOCUMENT_TYPES)[number]

/** Made by {@link readDocument} alone, so that one document has one token. */
export interface IdentityDocument {
  readonly type: DocumentType
  /** In memory only: never stored, logged or quoted. */
  readonly number: string
}

export type DocumentFault = CitizenNumberFault
export type DocumentReading = { ok: true; document: IdentityDocument } | { ok: false; fault: DocumentFault }

const FORMS: Record<Exclude<DocumentType, 'resident-id-card'>, RegExp> = {
  passport: /^[A-Z0-9]{6,15}$/,
  'home-return-permit': /^[HM]\d{8}$/,
  'taiwan-permit': /^\d{8}$/,
  'permanent-residence': /^(?:[A-Z]{3}\d{12}|9\d{17})$/,
  synthetic: /^[A-Za-z0-9_-]{1,64}$/,
}

/**
 * Reads what was typed or scanned: full-width digits, small letters, spaces and hyphens are forgiven.
 *
 * @param nowMs Unix milliseconds: nobody was born later.
 * @param drill Whether citizen numbers that are nobody's count too, as `syntheticCitizenNumber` makes them.
 * @returns The document, or the kind of fault; the number is in neither a fault nor an error.
 */
export function readDocument(
  type: DocumentType,
  text: string,
  nowMs: number,
  drill = false,
): DocumentReading {
  // Longer than any document: not worth the normalising.
  if (text.length > MOST_CHARACTERS) return { ok: false, fault: 'form' }
  const number = type === 'synthetic' ? text : spellOnce(text)
  const fault = faultOf(type, number, nowMs, drill)
  return fault === undefined ? { ok: true, document: { type, number } } : { ok: false, fault }
}

const MOST_CHARACTERS = 64

const spellOnce = (text: string): string => text.normalize('NFKC').replaceAll(/[\s-]/g, '').toUpperCase()

function faultOf(
  type: DocumentType,
  number: string,
  nowMs: number,
  drill: boolean,
): DocumentFault | undefined {
  if (type === 'resident-id-card') {
    if (!drill || !looksSynthetic(number)) return citizenNumberFault(number, nowMs)
    return checkDigit(number) === number[17] ? undefined : 'check-digit'
  }
  return FORMS[type].test(number) ? undefined : 'form'
}
