// A revocation list: what one key has signed, or what was said of a resident, and must no longer be believed.
import { z } from 'zod'
import {
  counterField,
  kidField,
  regionField,
  revocationIdField,
  secondsField,
  subjectField,
} from './fields.ts'
import { faultsOf } from './trust-list.ts'

/**
 * A list takes back what is out, give or take the clocks. One that could void the codes of next year would let whoever
 * steals a key for an hour shut residents out for good.
 */
export const mostAheadSeconds = 300

// `before` in seconds: what was issued earlier is revoked, what was issued from then on is not.
const revokedCode = z.strictObject({ rid: revocationIdField, before: secondsField.optional() })
// A resident turned red: every older code is void, and the new ones, which say so, are good.
const revokedSubject = z.strictObject({ sub: subjectField, before: secondsField })

export const revocationListSchema = z
  .strictObject({
    v: z.literal(1),
    /** Region that signs this list. */
    iss: regionField,
    /** Key whose codes it speaks of. */
    kid: kidField,
    counter: counterField,
    iat: secondsField,
    nextUpdate: secondsField,
    revoked: z.array(z.union([revokedCode, revokedSubject])).max(200_000),
  })
  .refine(({ iat, nextUpdate }) => nextUpdate > iat, { path: ['nextUpdate'], message: 'above iat' })
  .superRefine(({ iat, revoked }, context) => {
    for (const [i, { before }] of revoked.entries()) {
      if (before === undefined || before <= iat + mostAheadSeconds) continue
      const message = `${mostAheadSeconds} s after iat at the most`
      context.addIssue({ code: 'custom', path: ['revoked', i, 'before'], message })
    }
  })

export type RevocationListDocument = z.infer<typeof revocationListSchema>

export interface RevocationList {
  readonly iss: string
  readonly kid: string
  readonly counter: number
  readonly iat: number
  readonly nextUpdate: number
  /** What was issued before this many seconds, by revocation id; `Infinity` for all of it. */
  readonly rids: ReadonlyMap<string, number>
  /** The same by resident's token. */
  readonly subjects: ReadonlyMap<string, number>
  /** The JWS that it came in. */
  readonly text: string
}

export type RevocationListReading = { ok: true; list: RevocationList } | { ok: false; detail: string }

export function readRevocationList(payload: unknown, text: string): RevocationListReading {
  const read = revocationListSchema.safeParse(payload)
  if (!read.success) return { ok: false, detail: faultsOf(read.error) }
  const { iss, kid, counter, iat, nextUpdate, revoked } = read.data
  const rids = new Map<string, number>()
  const subjects = new Map<string, number>()
  for (const entry of revoked) {
    if ('rid' in entry) keepLatest(rids, entry.rid, entry.before ?? Infinity)
    else keepLatest(subjects, entry.sub, entry.before)
  }
  return { ok: true, list: { iss, kid, counter, iat, nextUpdate, rids, subjects, text } }
}

/** Where a name stands twice, the entry that revokes more counts. */
function keepLatest(entries: Map<string, number>, name: string, before: number): void {
  entries.set(name, Math.max(before, entries.get(name) ?? 0))
}

/**
 * Whether the list, if it has a say over a code, revokes it.
 *
 * @param code.subject Whose colour the code tells; `null` where it tells none: what is taken back of a resident by name
 *   are colours, and paper stands for them whatever their colour.
 */
export const revokes = (
  list: RevocationList,
  { rid, subject, iat }: { rid: string; subject: string | null; iat: number },
): boolean => iat < (list.rids.get(rid) ?? 0) || (subject !== null && iat < (list.subjects.get(subject) ?? 0))
