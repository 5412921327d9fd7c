// Checks what stands behind a flag by a zod schema; commander puts flag and value in front of what we throw.
import { InvalidArgumentError } from 'commander'
import type { z } from 'zod'

export const text =
  (schema: z.ZodType<string>) =>
  (value: string): string =>
    check(schema, value)

/** For a flag with several values, or given several times. */
export const many =
  (schema: z.ZodType<string>) =>
  (value: string, before: readonly string[]): string[] => [...before, check(schema, value)]

export const whole =
  (schema: z.ZodType<number>) =>
  (value: string): number => {
    // Number('') is 0 and Number('0x10') is 16: neither is what was meant.
    return check(schema, /^\d+$/.test(value) ? Number(value) : Number.NaN)
  }

/** @throws {InvalidArgumentError} What would be right. */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  throw new InvalidArgumentError(`${checked.error.issues.map((issue) => issue.message).join('; ')}.`)
}
