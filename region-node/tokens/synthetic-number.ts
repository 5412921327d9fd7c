// Citizen numbers that look right and can't be anyone's, for tests, drills and demonstrations.
import { checkDigit } from './citizen-number.ts'

/** Different numbers that {@link syntheticCitizenNumber} has for one region: 26,280 days (72 years from 1950) times 1,000. */
export const SYNTHETIC_NUMBERS = 26_280_000

/**
 * Form, birth date and check digit hold. The division begins with 00, as no province does, so no authority
 * ever gave such a number, and every true validation refuses it. Only its check digit is to be tried.
 *
 * @param nth 0 to {@link SYNTHETIC_NUMBERS} - 1.
 * @param region Division code whose first four digits follow the 00, so that cities' residents differ.
 */
export function syntheticCitizenNumber(nth: number, region = '9999'): string {
  const day = new Date(Date.UTC(1950, 0, 1 + (nth % DAYS)))
  const born = day.toISOString().slice(0, 10).replaceAll('-', '')
  const sequence = String(Math.floor(nth / DAYS)).padStart(3, '0')
  const first17 = `00${region.slice(0, 4)}${born}${sequence}`
  return first17 + checkDigit(first17)
}

/** Whether a text is one of them, or differs in no more than its check digit. */
export const looksSynthetic = (text: string): boolean => /^00\d{15}[\dX]$/.test(text)

const DAYS = 26_280
