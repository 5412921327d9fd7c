// The agreements by which a home lends its residents' data to donors: who, when, which fields, how fresh.
import { z } from 'zod'
import { regionCodeSchema } from '../resident.ts'

const instant = z.iso
  .datetime({ offset: true, error: 'a time with its zone, such as 2026-01-05T00:00:00+08:00' })
  .transform((text) => Date.parse(text))

/** What may be lent besides token, colour and time of change, without which a copy is none. */
export const lentFields = ['testTime', 'testResult'] as const

const termsFields = {
  id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, '1 to 64 letters, digits, ".", "_" or "-"'),
  fields: z.array(z.enum(lentFields)).max(lentFields.length),
  /** How far a copy may be behind while home answers, and may have been behind when it fell silent. */
  rpoSeconds: z.number().min(0.2, '0.2 or more').max(3_600, '3600 or less'),
  /** How long a copy may stand in for a silent home. */
  maxAgeSeconds: z.int().min(1, '1 or more').max(604_800, 'a week or less'),
}

const agreementSchema = z
  .strictObject({
    ...termsFields,
    donor: regionCodeSchema,
    from: instant,
    until: instant,
    rpoSeconds: termsFields.rpoSeconds.default(2),
    maxAgeSeconds: termsFields.maxAgeSeconds.default(86_400),
    fields: termsFields.fields.default([...lentFields]),
  })
  .refine(({ from, until }) => until > from, { path: ['until'], message: 'must be later than from' })

/** The file with which home's operator names its donors. */
export const agreementsSchema = z
  .strictObject({ agreements: z.array(agreementSchema).max(4_000) })
  .superRefine(({ agreements }, context) => {
    const seen = new Set<string>()
    for (const [i, { id }] of agreements.entries()) {
      if (seen.has(id)) {
        context.addIssue({ code: 'custom', path: ['agreements', i, 'id'], message: `${id} stands twice` })
      }
      seen.add(id)
    }
  })

/** Times are Unix milliseconds. */
export type Agreement = z.output<typeof agreementSchema>

/** What home tells the donor with every page, and the donor keeps for when home can't be asked. */
export const termsSchema = z.object({ ...termsFields, fromMs: z.int(), untilMs: z.int() })

export type Terms = z.infer<typeof termsSchema>

export const termsOf = ({ id, fields, rpoSeconds, maxAgeSeconds, from, until }: Agreement): Terms => ({
  id,
  fields,
  rpoSeconds,
  maxAgeSeconds,
  fromMs: from,
  untilMs: until,
})

/** The agreement by which `donor` may hold a copy at that moment; of several the one that ends last. */
export function agreementInForce(
  agreements: readonly Agreement[],
  donor: string,
  nowMs: number,
): Agreement | undefined {
  return agreements
    .filter((agreement) => agreement.donor === donor && agreement.from <= nowMs && nowMs < agreement.until)
    .sort((a, b) => b.until - a.until)[0]
}

/** Whether `donor` ever had one: what it took while it had is home's, also afterwards. */
export const everAgreed = (agreements: readonly Agreement[], donor: string, nowMs: number): boolean =>
  agreements.some((agreement) => agreement.donor === donor && agreement.from <= nowMs)
