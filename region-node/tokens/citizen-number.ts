// Citizen identification numbers (vocabulary aligned with GB 11643-1999): is this text one?

/** Why a text is no citizen number. Never says which text. */
export type CitizenNumberFault = 'form' | 'division' | 'birth-date' | 'check-digit'

// ISO 7064 MOD 11-2: digit i weighs 2^(17-i) mod 11.
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2] as const
const CHECK_DIGITS = '10X98765432'

// Numbers are given to the living: the oldest person on record died at 122.
const OLDEST_YEARS = 125

// First two digits of GB/T 2260: provinces, autonomous regions, municipalities, Hong Kong, Macau, Taiwan;
// 83 is that of residence permits for residents of Taiwan.
const PROVINCES = new Set(
  '11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83'.split(
    ' ',
  ),
)

/** @param first17 Seventeen digits. @returns `0` to `9` or `X`. */
export function checkDigit(first17: string): string {
  const sum = WEIGHTS.reduce((total, weight, at) => total + weight * Number(first17[at]), 0)
  return CHECK_DIGITS.charAt(sum % 11)
}

/**
 * All that the number itself can tell; not whether it was ever given to anyone.
 *
 * @param text Eighteen characters, `X` in capitals.
 * @param nowMs Unix milliseconds; nobody was born after.
 * @returns The first fault, or undefined when there is none.
 */
export function citizenNumberFault(text: string, nowMs: number): CitizenNumberFault | undefined {
  if (!/^\d{17}[\dX]$/.test(text)) return 'form'
  if (!isDivision(text.slice(0, 6))) return 'division'
  if (!isBirthDate(text.slice(6, 14), nowMs)) return 'birth-date'
  return checkDigit(text) === text[17] ? undefined : 'check-digit'
}

// Counties come and go, and people keep their numbers: only the province is checked against the list.
const isDivision = (code: string): boolean => PROVINCES.has(code.slice(0, 2)) && !code.endsWith('0000')

function isBirthDate(digits: string, nowMs: number): boolean {
  const [year, month, day] = [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6, 8)].map(Number)
  if (year === undefined || month === undefined || day === undefined) return false
  const born = new Date(Date.UTC(year, month - 1, day))
  const exists = born.getUTCFullYear() === year && born.getUTCMonth() === month - 1
  const oldest = new Date(nowMs).getUTCFullYear() - OLDEST_YEARS
  // China is 8 hours ahead: a child born there today may be a day ahead of UTC.
  return exists && born.getUTCDate() === day && year >= oldest && born.getTime() <= nowMs + 8 * 3_600_000
}
