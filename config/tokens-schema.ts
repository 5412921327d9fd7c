// The part of the schema that says where document numbers stand in requests, so that tokens take their places.
import { z } from 'zod'
import { DOCUMENT_TYPES } from '../region-node/tokens/document.ts'

// Synthetic ids are nobody's: they need no token.
const types = DOCUMENT_TYPES.filter((type) => type !== 'synthetic')

const type = z.enum(types).default('resident-id-card').describe('Kind of document.')

/** Headers that the gateway reads and writes itself, or that hold more than one thing. */
const ownHeader =
  /^(?:host|cookie|connection|upgrade|expect|via|cdn-loop|traceparent|forwarded|referer|content-.*|transfer-encoding|x-forwarded-.*|x-request-id|proxy-.*)$/i

const literalPath = z
  .string()
  .regex(/^(?:\/[A-Za-z0-9._~-]+)+$/, 'a path without query and without a final slash, such as /v1/tests')

const inPath = z.strictObject({
  path: z
    .string()
    .regex(
      /^(?:\/[A-Za-z0-9._~-]+)*\/\{id\}(?:\/[A-Za-z0-9._~-]+)*$/,
      'a path with one segment {id}, such as /v1/codes/{id}',
    )
    .describe('Path whose segment `{id}` is a number.'),
  type,
})

const inQuery = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._~-]+$/, 'a parameter name, such as residentId')
    .describe('Query parameter, on any path.'),
  type,
})

const inHeader = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'a header name, such as X-Resident-Id')
    .refine((name) => !ownHeader.test(name), 'a header of its own, such as X-Resident-Id')
    .transform((name) => name.toLowerCase())
    .describe('Request header.'),
  type,
})

const inBody = z.strictObject({
  path: literalPath.describe('Path whose JSON bodies hold numbers, whatever the method.'),
  fields: z
    .array(z.string().min(1))
    .default([])
    .describe('Names of fields, at any depth; lists under them count too. None: the body is only guarded.'),
  type,
})

const readable = ['codes', 'credentials', 'tests', 'registrations', 'declarations', 'corrections']
const writable = [
  'tests',
  'registrations',
  'declarations',
  'corrections',
  'verifications',
  'paper-codes',
  'loss-reports',
]

export const tokens = z.strictObject({
  pepperFile: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File of the peppers, mode 0600, made by `chiyuan subject-tokens create-pepper`. Read again at every reload. Without it nothing is turned into tokens.',
    ),
  paths: z
    .array(inPath)
    .default(readable.map((name) => ({ path: `/v1/${name}/{id}`, type: 'resident-id-card' })))
    .describe('Paths that hold a number; case, a final slash and encoding make no difference.'),
  query: z.array(inQuery).default([]).describe('Query parameters that hold a number.'),
  headers: z.array(inHeader).default([]).describe('Request headers that hold a number.'),
  bodies: z
    .array(inBody)
    .default([
      ...writable.map((name) => ({
        path: `/v1/${name}`,
        fields: ['residentId'],
        type: 'resident-id-card' as const,
      })),
      { path: '/v1/family-codes', fields: ['residentId', 'memberIds'], type: 'resident-id-card' },
      // Terminals send tokens, and a number only by mistake.
      { path: '/v1/id-cards/lookups', fields: [], type: 'resident-id-card' },
    ])
    .describe(
      'Requests whose JSON body holds numbers. It has to fit into `limits.replayBodyBytes`, else 413; another type of body gets 415.',
    ),
  guard: z
    .boolean()
    .default(true)
    .describe(
      'Refuse a request with a citizen number in its address, in a header or elsewhere in a body named here. A `Referer` with one is dropped.',
    ),
  drill: z
    .boolean()
    .default(false)
    .describe(
      'For drills and demonstrations: take numbers that are nobody’s (division 00), and ids of synthetic residents as they are.',
    ),
})
