// Reads a YAML or JSON file by a schema, and tells every fault at once: line, field, value, what would be right.
import { z } from 'zod'
import { showValue } from '../../config/problem.ts'
import type { ConfigProblem } from '../../config/problem.ts'
import { fieldName, readYaml } from '../../config/yaml-source.ts'
import { regionField } from '../../region-node/verify/fields.ts'
import { parseInstant } from './option-values.ts'

const aRegion = 'a six-digit division code such as 610100'

/** Six digits, quoted or not: YAML reads `610100` as a number. */
export const regionValue = z
  .union([z.string(), z.number()], aRegion)
  .transform(String)
  .refine((code) => regionField.safeParse(code).success, aRegion)

/** A time with its zone, as seconds since 1970. */
export const instantValue = z
  .string()
  .refine((text) => parseInstant(text) !== null, 'a time with its zone, such as 2026-01-05T09:00:00+08:00')
  .transform((text) => Math.floor(Date.parse(text) / 1000))

export interface Description<T> {
  /** `null` where the schema finds faults. */
  readonly content: T | null
  readonly problems: readonly ConfigProblem[]
  /** As it stands there, for faults that can be told although others were found. */
  readonly raw: unknown
  /** `file:line` of a field. */
  readonly place: (path: readonly PropertyKey[]) => string
}

/**
 * @param showValues False where a value names a resident, and must stay out of the error.
 * @throws {ConfigError} when it is not YAML.
 */
export function readDescription<T>(
  text: string,
  file: string,
  schema: z.ZodType<T>,
  showValues: boolean,
): Description<T> {
  // The parser's own words may quote the text.
  const { raw, place } = readYaml(text, file, false)
  const read = schema.safeParse(raw)
  if (read.success) return { content: read.data, problems: [], raw, place }
  const problems = read.error.issues.flatMap((issue) => problemsOf(issue, raw, place, showValues))
  return { content: null, problems, raw, place }
}

function problemsOf(
  issue: z.core.$ZodIssue,
  raw: unknown,
  place: Description<unknown>['place'],
  showValues: boolean,
): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key]
      return { place: place(path), field: fieldName(path), message: 'no such field; remove it' }
    })
  }
  const value = issue.path.reduce<unknown>(
    (part, key) => (typeof part === 'object' && part !== null ? Reflect.get(part, key) : undefined),
    raw,
  )
  const found =
    value === undefined ? 'missing' : `${showValues ? showValue(value) : 'what stands there'} is not usable`
  return [
    {
      place: place(issue.path),
      field: fieldName(issue.path),
      message: `${found}; it must be ${expected(issue)}`,
    },
  ]
}

const kindsOfValue: Record<string, string> = {
  object: 'a section with fields',
  array: 'a list',
  string: 'a text',
}

function expected(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return kindsOfValue[issue.expected] ?? issue.expected
  return issue.message
}
