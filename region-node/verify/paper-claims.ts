// What a printed code says: whom it stands for, signed by whom, good until when. Never a colour: paper can't turn red.
import { z } from 'zod'
import { regionField, secondsField, subjectField } from './fields.ts'

/** A season. What decides over the bearer is looked up each time it is shown. */
export const paperLifetimeSeconds = { longest: 90 * 86_400 } as const

/** A family with its holder; more would make squares too small to be read from a worn paper. */
export const mostOnPaper = 9

export const paperClaimsSchema = z
  .strictObject({
    /** Version of this format. */
    v: z.literal(1),
    /** Region whose key signed it. */
    iss: regionField,
    /** Home region of all whom it stands for. */
    hom: regionField,
    /** Whom it stands for, by token: its holder first. */
    sub: z
      .array(subjectField)
      .min(1)
      .max(mostOnPaper)
      .refine((tokens) => new Set(tokens).size === tokens.length, 'each of them once'),
    iat: secondsField,
    exp: secondsField,
    /** The code's id, 16 bytes as base64url: under this name it is reported lost, and revoked. */
    rid: z.string().regex(/^[A-Za-z0-9_-]{21}[AQgw]$/, 'the 16 bytes of a code id as base64url'),
  })
  .refine(({ iat, exp }) => exp > iat && exp - iat <= paperLifetimeSeconds.longest, {
    path: ['exp'],
    message: `above iat by ${paperLifetimeSeconds.longest} seconds at the most`,
  })

export type PaperClaims = z.infer<typeof paperClaimsSchema>
