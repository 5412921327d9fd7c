// Citizen numbers that look right and can't be anyone's, for tests, drills and demonstrations.
import { checkDigit } from './citizen-number.ts'

/**
 * Form, birth date and check digit hold. The division is 009999: no province has 00, so no authority
 * ever gave such a number, and every true validation refuses it. Only its check digit is to be tried.
 *
 * @param nth 0 to 26,279,999: 26,280 days (72 years from 1950) times 1,000 sequence numbers.
 */
export function syntheticCitizenNumber(nth: number): string {
  const day = new Date(Date.UTC(1950, 0, 1 + (nth % DAYS)))
  const born = day.toISOString().slice(0, 10).replaceAll('-', '')
  const sequence = String(Math.floor(nth / DAYS)).padStart(3, '0')
  const first17 = `${IMPOSSIBLE_DIVISION}${born}${sequence}`
  return first17 + checkDigit(first17)
}

const IMPOSSIBLE_DIVISION = '009999'
const DAYS = 26_280
