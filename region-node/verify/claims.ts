// What a code says: whose it is, which colour, true when, signed by whom, good until when.
import { z } from 'zod'
import { regionField, revocationIdField, secondsField, subjectField } from './fields.ts'

export const displayLifetimeSeconds = { shortest: 60, longest: 300 } as const
export const carriedLifetimeSeconds = { longest: 86_400 } as const

export const codeClaimsSchema = z
  .strictObject({
    /** Version of this format. */
    v: z.literal(1),
    /** Region whose key signed it. */
    iss: regionField,
    /** Home region of the resident. */
    hom: regionField,
    /** The resident, by token. */
    sub: subjectField,
    /** Colour. */
    st: z.enum(['green', 'yellow', 'red']),
    /** When the newest test was sampled; left out where there was none. */
    tst: secondsField.optional(),
    iat: secondsField,
    exp: secondsField,
    /** The home region's count of changes to this resident: of two codes the higher one is newer. */
    seq: z.int().min(0),
    rid: revocationIdField,
  })
  .refine(({ iat, exp }) => exp > iat && exp - iat <= carriedLifetimeSeconds.longest, {
    path: ['exp'],
    message: 'above iat by 86400 seconds at the most',
  })

export type CodeClaims = z.infer<typeof codeClaimsSchema>

/** Shown fresh each time, or kept on the phone for when nothing answers. */
export type CodeKind = 'display' | 'carried'

// By lifetime and not by a claim of its own: how long a code lives is what decides how strictly it is judged.
export const kindOf = ({ iat, exp }: CodeClaims): CodeKind =>
  exp - iat <= displayLifetimeSeconds.longest ? 'display' : 'carried'
