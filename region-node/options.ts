// What a region node can be told when it starts: meaning, default and range of each.
import { z } from 'zod'
import { consulSchema } from './consul-options.ts'
import type { ConsulOptions } from './consul-options.ts'
import { regionCodeSchema } from './resident.ts'
import { StartError } from './start-error.ts'

/** Takes what a pino logger takes. Is never given a resident's id, a URL or a request body. */
export interface RegionNodeLog {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface RegionNodeOptions {
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string
  /** Port to listen on, 0 to 65535; 0 takes a free one. Default 9101. */
  readonly port?: number
  /** Division code of the region whose node this is. Default `610100`. */
  readonly regionCode?: string
  /** Name of this instance, 1 to 64 letters, digits, `.`, `_`, `-`. Default `<regionCode>-1`. */
  readonly nodeName?: string
  /** SQLite file, or `:memory:` (the default), which forgets everything when the node stops. */
  readonly dataFile?: string
  /** Synthetic residents of each region held, 0 to 1,000,000. Default 1,000. */
  readonly residents?: number
  /** Division codes of the regions it stands in for, its own apart. Default none. */
  readonly holds?: readonly string[]
  /** Requests served at once, 1 to 100,000; health endpoints don't count. Default 512. */
  readonly limit?: number
  /** Batches of ID cards looked up at once, 1 to 10,000, beside `limit`. Default 32. */
  readonly cardLimit?: number
  /** How long `close()` waits for requests in flight, ms, 0 to 600,000. Default 10,000. */
  readonly drainMs?: number
  /** How long `/readyz` says 503 before the node stops accepting, ms, 0 to 60,000. Default 0. */
  readonly noticeMs?: number
  /** How long a code that is shown stays valid, whole seconds in ms, 60,000 to 300,000. Default 120,000. */
  readonly codeValidityMs?: number
  /** `/readyz` fails when a backed-up region's data are older than this, ms. Default: never. */
  readonly maxReplicaAgeMs?: number
  /** Folder of the region's own signing keys; a first one is made where there is none. Default: none, and no codes. */
  readonly keyFolder?: string
  /** Of sealed keys. Default: they are not sealed. */
  readonly keyPassphrase?: string
  /** File with the public JWK, or JWK set, of the trust root. Default: none, and no list is believed. */
  readonly trustRoot?: string
  /** File with the signed trust list: read again when it changes. */
  readonly trustList?: string
  /** Files with signed revocation lists: read again when they change. */
  readonly revocationLists?: readonly string[]
  /** How often keys and lists are looked at for a change, ms, 10 to 600,000. Default 2,000. */
  readonly lookEveryMs?: number
  /** Address of the listener for peers. Default: `host`. */
  readonly peerHost?: string
  /** Port at which donors follow this region, 0 to 65535. Default: none. Needs `peer`. */
  readonly peerPort?: number
  /** Files of mutual TLS with other regions' nodes. */
  readonly peer?: { readonly cert: string; readonly key: string; readonly ca: string }
  /** File of the agreements by which donors may hold a copy: read again when it changes. Default: none may. */
  readonly agreements?: string
  /** Homes that it follows and where: stood in for with their data, not with seeded ones. Needs `peer`. */
  readonly follow?: readonly { readonly region: string; readonly urls: readonly string[] }[]
  /** The Consul in whose catalogue the node enters itself. Default: none. */
  readonly consul?: ConsulOptions
  /** Unix milliseconds. Default `Date.now`. */
  readonly clock?: () => number
  /** Default: says nothing. */
  readonly logger?: RegionNodeLog
}

/** A whole number from `min` to `max`, both included. */
export const wholeNumber = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`
  return z.int({ error }).min(min, { error }).max(max, { error })
}

/** The options that are plain values; the command line checks its flags by the same rules. */
export const optionFields = {
  host: z.string().min(1).max(255),
  port: wholeNumber(0, 65_535),
  regionCode: regionCodeSchema,
  nodeName: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, ".", "_" or "-", such as xian-1'),
  dataFile: z.string().min(1),
  residents: wholeNumber(0, 1_000_000),
  holds: z.array(regionCodeSchema).max(400),
  limit: wholeNumber(1, 100_000),
  cardLimit: wholeNumber(1, 10_000),
  drainMs: wholeNumber(0, 600_000),
  noticeMs: wholeNumber(0, 60_000),
  codeValidityMs: wholeNumber(60_000, 300_000).multipleOf(1_000, 'must be whole seconds'),
  maxReplicaAgeMs: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  keyFolder: z.string().min(1),
  trustRoot: z.string().min(1),
  trustList: z.string().min(1),
  revocationLists: z.array(z.string().min(1)).max(4_000),
  lookEveryMs: wholeNumber(10, 600_000),
  peer: z.object({ cert: z.string().min(1), key: z.string().min(1), ca: z.string().min(1) }),
  follow: z
    .array(
      z.object({
        region: regionCodeSchema,
        urls: z
          .array(z.url({ protocol: /^https$/, error: 'must be https://HOST:PORT of its peer listener' }))
          .min(1)
          .max(16),
      }),
    )
    .max(400),
} as const

export const optionDefaults = {
  host: '127.0.0.1',
  port: 9101,
  regionCode: '610100',
  dataFile: ':memory:',
  residents: 1_000,
  limit: 512,
  cardLimit: 32,
  drainMs: 10_000,
  noticeMs: 0,
  codeValidityMs: 120_000,
  lookEveryMs: 2_000,
} as const

const optionsSchema = z
  .object({
    ...optionFields,
    host: optionFields.host.default(optionDefaults.host),
    port: optionFields.port.default(optionDefaults.port),
    regionCode: optionFields.regionCode.default(optionDefaults.regionCode),
    nodeName: optionFields.nodeName.optional(),
    dataFile: optionFields.dataFile.default(optionDefaults.dataFile),
    residents: optionFields.residents.default(optionDefaults.residents),
    holds: optionFields.holds.default([]),
    limit: optionFields.limit.default(optionDefaults.limit),
    cardLimit: optionFields.cardLimit.default(optionDefaults.cardLimit),
    drainMs: optionFields.drainMs.default(optionDefaults.drainMs),
    noticeMs: optionFields.noticeMs.default(optionDefaults.noticeMs),
    codeValidityMs: optionFields.codeValidityMs.default(optionDefaults.codeValidityMs),
    maxReplicaAgeMs: optionFields.maxReplicaAgeMs.optional(),
    keyFolder: optionFields.keyFolder.optional(),
    keyPassphrase: z.string().optional(),
    trustRoot: optionFields.trustRoot.optional(),
    trustList: optionFields.trustList.optional(),
    revocationLists: optionFields.revocationLists.default([]),
    lookEveryMs: optionFields.lookEveryMs.default(optionDefaults.lookEveryMs),
    peerHost: optionFields.host.optional(),
    peerPort: optionFields.port.optional(),
    peer: optionFields.peer.optional(),
    agreements: z.string().min(1).optional(),
    follow: optionFields.follow.default([]),
    consul: consulSchema.optional(),
  })
  .refine(
    ({ peer, peerPort, follow }) => peer !== undefined || (peerPort === undefined && follow.length === 0),
    {
      path: ['peer'],
      message: 'is needed to follow a home or to be followed: its certificate, key and authority',
    },
  )
  .refine(({ agreements, peerPort }) => agreements === undefined || peerPort !== undefined, {
    path: ['peerPort'],
    message: 'is needed where agreements are given: donors follow this region there',
  })
  .refine(
    ({ trustRoot, trustList, revocationLists }) =>
      trustRoot !== undefined || (trustList === undefined && revocationLists.length === 0),
    {
      path: ['trustRoot'],
      message: 'is needed where lists are given: it is what their signatures are checked by',
    },
  )
  .transform((given) => ({
    ...given,
    peerHost: given.peerHost ?? given.host,
    nodeName: given.nodeName ?? `${given.regionCode}-1`,
  }))

export type CheckedOptions = z.output<typeof optionsSchema>

/** @throws {StartError} Names every option that is wrong and its range. */
export function checkOptions(options: RegionNodeOptions): CheckedOptions {
  const checked = optionsSchema.safeParse(options)
  if (checked.success) return checked.data
  const faults = checked.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new StartError(`invalid options: ${faults.join('; ')}`, checked.error)
}
