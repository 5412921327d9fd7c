// Reads requests by zod schemas; what does not fit becomes a problem that lists every fault.
import { z } from 'zod'
import { residentIdSchema } from '../resident.ts'
import { ProblemError } from './problem.ts'
import type { FieldFault } from './problem.ts'

// A body that is JSON but not ours is understood and yet unfit: 422. A URL or header is just wrong: 400.
const STATUS = { body: 422, path: 400, query: 400, header: 400 } as const

/** @throws {ProblemError} 422 for a body, else 400, with every invalid field. */
export function readInput<T>(schema: z.ZodType<T>, value: unknown, where: FieldFault['in'], field = ''): T {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  throw new ProblemError({
    status: STATUS[where],
    code: 'invalid-input',
    title: 'Invalid input',
    errors: read.error.issues.flatMap((issue) => faultsOf(issue, where, field)),
  })
}

function faultsOf(issue: z.core.$ZodIssue, where: FieldFault['in'], field: string): FieldFault[] {
  const at = (...rest: string[]): string =>
    [field, ...issue.path.map(String), ...rest].filter((part) => part !== '').join('.')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ in: where, field: at(key), detail: 'is no field of this request' }))
  }
  return [{ in: where, field: at(), detail: issue.message }]
}

/** A place or a thing that an institution numbers: a checkpoint, a sampling point, a tube. */
export const placeIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, "_" or "-"')

/** The id that stands in the path. */
export const readResidentId = (value: unknown): string =>
  readInput(residentIdSchema, value, 'path', 'residentId')
