// A node's answer about a code, as the page believes and keeps it.
import * as z from 'zod/mini'

const time = z.pipe(
  z.iso.datetime(),
  z.transform((text: string) => Date.parse(text)),
)
export const colour = z.enum(['green', 'yellow', 'red'])

/** The names of the node's contract; what else it sends is left out. */
export const codeAnswer = z.object({
  code: z.string().check(z.maxLength(1195)),
  status: colour,
  divisionCode: z.string(),
  issuer: z.string(),
  issuedAt: time,
  validUntil: time,
  updatedAt: time,
  testTime: z.nullable(time),
  testResult: z.nullable(z.enum(['negative', 'positive', 'pending'])),
  freshness: z.enum(['live', 'replica', 'stale']),
})

export type Colour = z.infer<typeof colour>
/** Times are Unix milliseconds. */
export type CodeAnswer = z.infer<typeof codeAnswer>
