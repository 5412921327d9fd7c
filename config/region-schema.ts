// The part of the schema that describes the federation: regions and their nodes.
import { z } from 'zod'
import { isPin } from '../gateway/model/node-trust.ts'

// YAML reads an unquoted code as a number; its author meant the code.
export const regionCode = z
  .preprocess(
    (code) => (typeof code === 'number' ? String(code) : code),
    z.string().regex(/^[1-9]\d{5}$/, 'a region code is six digits, such as 610100'),
  )
  .describe('Division code by GB/T 2260.')
const certificateName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, '1 to 64 letters, digits, dots, dashes or underscores')

/** By name: enrolments and nodes name an entry, so that no key leaves this host. */
export const clientCertificates = z.record(
  certificateName,
  z.strictObject({
    certFile: z.string().min(1).describe('Certificate chain, PEM. Read again when it changes.'),
    keyFile: z.string().min(1).describe('Private key, PEM.'),
  }),
)

export const nodeTls = z.strictObject({
  caFile: z
    .string()
    .min(1)
    .optional()
    .describe('Authorities that sign its certificate, PEM. Read again when it changes.'),
  pins: z
    .array(
      z.string().refine(isPin, 'the SHA-256 of a public key (SubjectPublicKeyInfo) in base64, 44 characters'),
    )
    .max(100)
    .default([])
    .describe(
      'SHA-256 of public keys in base64, of which it must have one. Without `caFile` they take the place of a chain and a name.',
    ),
  serverName: z
    .string()
    .regex(/^(?!\d+(\.\d+)*$)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, 'a host name, such as codes.xian.example')
    .optional()
    .describe('Name that its certificate carries, where that is not its address’s.'),
  clientCertificate: certificateName
    .optional()
    .describe('Entry of `clientCertificates` that is shown to it.'),
})

const node = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, '1 to 64 letters, digits, dots, dashes or underscores')
    .describe('Name of the node, unique in the file.'),
  url: z
    .string()
    .refine(
      isNodeUrl,
      'an http:// or https:// address without user, query or fragment, such as http://10.1.2.3:9101',
    )
    .describe('Where the gateway reaches it. A path here is put before every request path.'),
  weight: z.number().gt(0).max(1000).default(1).describe('Share of its level relative to its siblings.'),
  limit: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('Requests it may have open at once. Without it there is no declared limit.'),
  tls: nodeTls
    .optional()
    .describe(
      'By what an https node is known. Without it by the system’s authorities and its address’s name.',
    ),
})

const lends = z.strictObject({
  limitRps: z
    .number()
    .gt(0)
    .max(10_000_000)
    .optional()
    .describe('Requests of other regions’ residents that it takes. Without it as many as its nodes can.')
    .meta({ unit: 'per second' }),
  limitConcurrent: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('The same as requests open at once.'),
  homeReserve: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Share of each node’s limit that is kept for its own residents.')
    .meta({ unit: 'share' }),
})

export const region = z.strictObject({
  code: regionCode,
  name: z
    .strictObject({
      zh: z.string().min(1).describe('Name in Chinese.'),
      en: z.string().min(1).describe('Name in English.'),
    })
    .describe('Name shown to people.'),
  tier: z.enum(['city', 'province', 'nation']).default('city').describe('Kind of division.'),
  neighbours: z
    .array(regionCode)
    .default([])
    .describe('Regions that agreed to help this one, in the agreed order.'),
  province: regionCode
    .optional()
    .describe(
      'Region of the province level. Default: the first two digits of `code` and 0000, where listed.',
    ),
  lends: lends.prefault({}).describe('What it lends to other regions’ residents at the most.'),
  nodes: z.array(node).default([]).describe('Nodes of its code service.'),
  discover: z
    .boolean()
    .optional()
    .describe('Take the nodes that `discovery` finds for it. Default: where `nodes` is empty.'),
})

export function isNodeUrl(text: string): boolean {
  const url = URL.parse(text)
  return (
    url !== null &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    url.username === '' &&
    url.password === '' &&
    url.search === '' &&
    url.hash === ''
  )
}
