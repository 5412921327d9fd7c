// What operators' commands take as values.
import { InvalidArgumentError, Option } from 'commander'

const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds of `30s`, `10m`, `2h`, `1d`, `1h30m`. */
export function duration(text: string): number {
  const parts = [...text.matchAll(/(\d{1,7})([smhd])/g)]
  const whole = parts.map(([part]) => part).join('') === text
  const sum = parts.reduce((total, [, count, unit]) => total + Number(count) * (seconds[unit ?? ''] ?? 0), 0)
  if (whole && sum > 0) return sum
  throw new InvalidArgumentError('It must be a length of time such as 30s, 10m, 2h, 1d or 1h30m.')
}

export const reasonOption = (): Option =>
  new Option('--reason <text>', 'why; stands in the audit log 原因，记入审计日志').makeOptionMandatory()

export const yesOption = (): Option => new Option('--yes', 'do not ask 不再询问')

/** Days of a token, `null` for `never`. */
export function days(text: string): number | null {
  if (text === 'never') return null
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new InvalidArgumentError('It must be a number of days, such as 90, or never.')
}
