// Enrolments as they stand in the registry, and what their fields must be wherever they come from.
import { createHash, X509Certificate } from 'node:crypto'
import { z } from 'zod'
import { isNodeUrl } from '../../../config/region-schema.ts'
import {
  type Enrolment,
  enrolmentStates,
  type EnrolmentTerms,
  lentFields,
  stepKinds,
} from '../../model/enrolment.ts'
import { isNodeId, isRegionId } from '../../model/ids.ts'
import { isPin } from '../../model/node-trust.ts'
import { demands } from '../../policy/code-node.ts'

export const enrolmentPrefix = 'intent/enrolments/'

const regionCode = z.string().refine(isRegionId, 'a region code of six digits, such as 610100')
const time = z.number().int().min(0)
const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day in Asia/Shanghai, such as 22:00')
/** Words that people read. A citizen's number has no place in them. */
export const words = (longest: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .refine((text) => !/\d{17}[\dXx]/.test(text), 'words without an ID number')

const node = z.strictObject({
  id: z.string().refine(isNodeId, '1 to 64 letters, digits, dots, dashes or underscores'),
  url: z
    .string()
    .max(2048)
    .refine(
      isNodeUrl,
      'an http:// or https:// address without user, query or fragment, such as https://10.1.2.3:9101',
    ),
  weight: z.number().gt(0).max(1000),
  limit: z.number().int().min(1).max(1_000_000).nullable(),
})

const pem = z
  .string()
  .max(65_536)
  .refine(isCertificates, 'certificates of authorities as PEM, and no private key')

const tls = z.strictObject({
  ca: z.strictObject({ pem }).nullable(),
  pins: z
    .array(
      z
        .string()
        .refine(
          isPin,
          'the SHA-256 of the certificate’s public key (SubjectPublicKeyInfo) in base64, 44 characters',
        ),
    )
    .max(100)
    .refine(isUnique, 'each pin once'),
  serverName: z
    .string()
    .max(253)
    .regex(/^(?!\d+(\.\d+)*$)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, 'a host name, such as codes.yanan.example')
    .nullable(),
  clientCertificate: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a name under clientCertificates in the configuration')
    .nullable(),
})

/** Fields of the terms, for whoever writes times or absent fields in another way. */
export const termsFields = {
  donor: z.strictObject({
    code: regionCode,
    name: z.strictObject({ zh: words(100), en: words(100) }),
    tier: z.enum(['city', 'province', 'nation']),
  }),
  homes: z.array(regionCode).min(1).max(400).refine(isUnique, 'each region once'),
  nodes: z.array(node).min(1).max(100),
  limit: z.strictObject({
    rps: z.number().gt(0).max(10_000_000),
    concurrent: z.number().int().min(1).max(1_000_000).nullable(),
  }),
  reserve: z.number().min(0).max(1),
  hours: z
    .strictObject({ from: timeOfDay, until: timeOfDay })
    .refine(({ from, until }) => from !== until, 'two different times; null means always')
    .nullable(),
  data: z.strictObject({
    fields: z.array(z.enum(lentFields)).refine(isUnique, 'each field once'),
    rpoSeconds: z.number().min(0.2).max(3600),
  }),
  contact: z.strictObject({
    office: words(200),
    phone: z.string().regex(/^\+?[0-9][0-9 -]{4,28}[0-9]$/, 'a telephone number of an office'),
    email: z.email().max(254),
  }),
  validFrom: time,
  validUntil: time,
  tls,
}

interface Related {
  readonly validFrom: number
  readonly validUntil: number
  readonly nodes: readonly { readonly url: string }[]
  readonly tls: EnrolmentTerms['tls']
}

/** What no single field can tell. */
export function relate(terms: Related, context: z.RefinementCtx): void {
  const refuse = (path: (string | number)[], message: string): void => {
    context.addIssue({ code: 'custom', path, message })
  }
  if (terms.validUntil <= terms.validFrom) refuse(['validUntil'], 'must be later than validFrom')
  const isHeld = demands(terms.tls)
  for (const [i, { url }] of terms.nodes.entries()) {
    // Terms that nobody would hold the node to are worse than none.
    if (isHeld && url.startsWith('http:')) {
      refuse(['nodes', i, 'url'], 'must be https:// where tls says how the node is known')
    }
  }
}

export const termsSchema: z.ZodType<EnrolmentTerms> = z.strictObject(termsFields).superRefine(relate)

/** Bounds of what is kept of a verification. */
export const reasonLength = 500
export const reasonsAtMost = 100

const actor = z.strictObject({ id: z.string().min(1).max(200), name: z.string().min(1).max(200) })
const reason = z.string().max(2000)
const state = z.enum(enrolmentStates)

export const enrolmentSchema: z.ZodType<Enrolment> = z.strictObject({
  id: z.string().min(1).max(64),
  state,
  terms: termsSchema,
  createdAt: time,
  submittedBy: actor.nullable(),
  verification: z
    .strictObject({
      passed: z.boolean(),
      termsHash: z.string(),
      at: time,
      reasons: z.array(z.string().max(reasonLength)).max(reasonsAtMost),
    })
    .nullable(),
  approval: z.strictObject({ by: actor, at: time, termsHash: z.string() }).nullable(),
  servingSince: time.nullable(),
  servedUntil: time.nullable(),
  history: z
    .array(
      z.strictObject({
        step: z.enum([...stepKinds, 'create']),
        from: state.nullable(),
        to: state,
        by: actor,
        at: time,
        reason: reason.nullable(),
      }),
    )
    .max(100),
})

/** SHA-256 in hexadecimal of the terms as JSON with sorted keys: the same however they were written. */
export const hashOfTerms = (terms: EnrolmentTerms): string =>
  createHash('sha256').update(JSON.stringify(terms, sortedKeys)).digest('hex')

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isUnique(list: readonly string[]): boolean {
  return new Set(list).size === list.length
}

function isCertificates(text: string): boolean {
  if (text.includes('PRIVATE KEY')) return false
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  try {
    return blocks.length > 0 && blocks.every((block) => new X509Certificate(block).serialNumber !== '')
  } catch {
    return false
  }
}
