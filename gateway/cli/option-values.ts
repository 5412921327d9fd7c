// What several commands take as an option's value; Commander puts flag and value before what is said here.
import { InvalidArgumentError } from 'commander'
import { z } from 'zod'

/** Milliseconds since 1970 of a time such as `2026-01-05T09:00:00+08:00`. */
export function instant(text: string): number {
  const ms = parseInstant(text)
  if (ms !== null) return ms
  throw new InvalidArgumentError('It must be a time with its zone, such as 2026-01-05T09:00:00+08:00.')
}

// `Date.parse` alone takes "1" for a year, 30 February for a day and a time without zone for the machine's own.
export function parseInstant(text: string): number | null {
  return z.iso.datetime({ offset: true }).safeParse(text).success ? Date.parse(text) : null
}

export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
