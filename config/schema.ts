// The one schema of the gateway's configuration: every field with its default, range, unit and meaning.
// The reference in docs/configuration.md is generated from here.
import { isIP } from 'node:net'
import { z } from 'zod'
import { oidc } from './admin-schema.ts'
import { drills } from './drills-schema.ts'
import { bytes, count, ms, share } from './fields.ts'
import { enrolment } from './enrolment-schema.ts'
import { attempts, hedging, selection, standby } from './forward-schema.ts'
import { classes, concurrency, lastGood, queue } from './overload-schema.ts'
import { modes } from '../gateway/model/mode.ts'
import { profileSections } from './profiles.ts'
import { protection } from './protection-schema.ts'
import { clientCertificates, region, regionCode } from './region-schema.ts'
import { discovery } from './discovery-schema.ts'
import { registry } from './registry-schema.ts'
import { tokens } from './tokens-schema.ts'

const headerName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'a header name, such as X-Home-Region')
  .transform((name) => name.toLowerCase())
const filePath = z.string().min(1)
const address = z.string().refine(isAddressBlock, 'an IP address or a CIDR block, such as 10.0.0.0/8 or ::1')

const tls = z
  .strictObject({
    certFile: filePath.describe('Certificate chain, PEM. Read again when it changes.'),
    keyFile: filePath.describe('Private key, PEM.'),
  })
  .describe('Certificate of this listener; without it the listener speaks plain HTTP.')

const listener = (port: number) => ({
  host: z.string().min(1).default('127.0.0.1').describe('Address to bind.'),
  port: z
    .number()
    .int()
    .min(0)
    .max(65535)
    .default(port)
    .describe('Port to bind; 0 lets the system choose one.'),
  tls: tls.optional(),
})

const publicListener = z.strictObject({
  ...listener(8100),
  http2: z.boolean().default(true).describe('Offer HTTP/2 by ALPN where the listener has a certificate.'),
})

const home = z.strictObject({
  default: regionCode.optional().describe('Home of a request that names none.'),
  hosts: z
    .record(z.string().min(1), regionCode)
    .default({})
    .describe('Home by host name, without port. Where hosts are listed, any other is refused with 421.'),
  pathPrefix: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)*\/\{home\}$/, 'a path that ends in /{home}, such as /r/{home}')
    .optional()
    .describe('Home by path, such as `/r/{home}`. An unknown home there is refused with 404.'),
  stripPathPrefix: z
    .boolean()
    .default(true)
    .describe('Take the prefix off before the request goes on to a node.'),
  header: headerName
    .optional()
    .describe('Home by request header. An unknown home there is refused with 404.'),
})

const resident = z.strictObject({
  paths: z
    .array(z.string().regex(/^\/[^?#{}]*\{id\}[^?#{}]*$/, 'a path with one {id}, such as /v1/codes/{id}'))
    .default(['/v1/codes/{id}', '/v1/tests/{id}'])
    .describe('Where a path carries the resident: the first that fits is used.'),
  header: headerName.optional().describe('Request header that carries the resident.'),
  cookie: z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, 'a cookie name')
    .optional()
    .describe('Cookie that carries the resident.'),
  keyFile: filePath
    .optional()
    .describe(
      'File with the secret key of the resident hash, shared by all gateways. Default: made in `dataDir`.',
    ),
})

// Checked with the whole file under it, so that every field is judged by its own rule.
const profile = z
  .partialRecord(z.enum(profileSections), z.record(z.string(), z.unknown()))
  .default({})
  .describe('Sections as in this file, with the fields that change.')
const profiles = z.strictObject({ peacetime: profile, emergency: profile })

const health = z.strictObject({
  path: z
    .string()
    .startsWith('/', 'a path that begins with a slash, such as /readyz')
    .default('/readyz')
    .describe(
      'Path that is probed. A region node’s `/readyz` also says which homes it can’t answer for, and gets none of their requests. Of other servers, one that answers only while they should get requests.',
    ),
  intervalMs: ms(50, 600_000, 2000, 'Pause between probes of a node that is up.'),
  fastIntervalMs: ms(20, 600_000, 500, 'Pause while probes contradict what was known.'),
  downIntervalMs: ms(20, 600_000, 1000, 'Pause while a node is down.'),
  timeoutMs: ms(10, 60_000, 1000, 'Deadline of a probe.'),
  rise: count(1, 100, 2, 'Good probes in a row that bring a node up.'),
  fall: count(1, 100, 3, 'Bad probes in a row that take it down.'),
  jitter: share(0, 0.5, 0.1, 'Spread of the pauses, either way.'),
  expectedStatuses: z
    .array(z.number().int().min(100).max(599))
    .default([200, 204])
    .describe('Statuses that mean up.'),
})

const breaker = z.strictObject({
  errorThresholdPercent: z
    .number()
    .min(1)
    .max(99)
    .default(25)
    .describe('Failed share of a node’s answers above which its breaker opens.')
    .meta({ unit: '%' }),
  volumeThreshold: count(1, 100_000, 8, 'Answers in the window below which it never opens.'),
  windowMs: ms(100, 600_000, 5000, 'Window over which failures are counted.'),
  resetTimeoutMs: ms(
    100,
    3_600_000,
    6000,
    'Time until an open breaker lets one request through. Above `windowMs`.',
  ),
  connectFailures: count(
    1,
    100_000,
    5,
    'Refused connections in a row after which it opens at once: a dead process answers no other way.',
  ),
  slowStartMs: ms(
    0,
    3_600_000,
    10_000,
    'Time over which a node that came back is given its residents again.',
  ),
  slowStartShare: share(0.01, 1, 0.1, 'Share that it is given at once.'),
})

const limits = z.strictObject({
  headerBytes: bytes(1024, 1_048_576, 16_384, 'Request line and headers together; above it 431.'),
  headerCount: count(8, 2000, 100, 'Header lines of a request; above it 431.'),
  urlBytes: bytes(64, 65_536, 8192, 'Request target; above it 414.'),
  connections: count(1, 1_000_000, 20_000, 'Open client connections; above it 503 and close.'),
  streams: count(1, 1_000_000, 4000, 'Uploads, event streams and WebSockets at once; above it 503.'),
  headersTimeoutMs: ms(100, 600_000, 10_000, 'Deadline of a request’s headers; after it 408.'),
  bodyTimeoutMs: ms(100, 600_000, 10_000, 'Longest pause inside a request body; after it 408.'),
  requestTimeoutMs: ms(100, 3_600_000, 300_000, 'Deadline of a whole request from the client; after it 408.'),
  keepAliveTimeoutMs: ms(100, 3_600_000, 65_000, 'Time that an idle client connection is kept.'),
  replayBodyBytes: bytes(
    0,
    16_777_216,
    65_536,
    'Request bodies up to this are kept so that they can be sent again.',
  ),
  heldResponseBytes: bytes(0, 67_108_864, 262_144, 'Answers up to this are held until whole.'),
  uploadBytes: bytes(1024, 1_099_511_627_776, 1_073_741_824, 'Largest request body; above it 413.'),
  maxHops: count(1, 100, 5, 'Gateways that a request may have come through; above it 508.'),
})

const headers = z.strictObject({
  trustedProxies: z
    .array(address)
    .default([])
    .describe(
      'Peers whose Forwarded and X-Forwarded-* are kept and added to. From all others they are dropped.',
    ),
  operatorAddresses: z
    .array(address)
    .default([])
    .describe('Peers that are told by `X-Chiyuan-Route` which level and node answered.'),
  removeFromAnswers: z
    .array(headerName)
    .default([
      'server',
      'x-powered-by',
      'via',
      'x-served-by',
      'x-backend-server',
      'x-runtime',
      'x-aspnet-version',
    ])
    .describe('Answer headers that could tell a resident who answered.'),
})

export const configSchema = z
  .strictObject({
    gatewayId: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/, '1 to 63 letters, digits or dashes')
      .default('chiyuan')
      .describe('Name of this gateway in `Via` and `CDN-Loop`, the same for all that stand side by side.'),
    dataDir: filePath
      .default('./data')
      .describe('Folder for what the gateway keeps, from the working folder.'),
    public: publicListener.prefault({}).describe('Listener for residents.'),
    admin: z
      .strictObject({
        ...listener(8101),
        api: z
          .boolean()
          .default(true)
          .describe('Offer the operators’ API here; without it only health and metrics.'),
        oidc: oidc.optional(),
        insecure: z
          .boolean()
          .default(false)
          .describe(
            'Accept that operators’ tokens cross the network in the clear. Without it the listener binds beyond this machine only with `tls`.',
          ),
      })
      .prefault({})
      .describe('Listener for operators: health, metrics, and their API.'),
    mode: z
      .enum(modes)
      .default('peacetime')
      .describe(
        '平 `peacetime` or 战 `emergency`: which profile is in force. Taken over by a running gateway.',
      ),
    profiles: profiles
      .prefault({})
      .describe(
        'What each mode changes. `emergency` halves the hedge budget, serves last good answers up to an hour old and keeps donors warm, where the file says nothing else.',
      ),
    home: home
      .prefault({})
      .describe('How a request’s home region is known: path, then header, then host, then default.'),
    resident: resident.prefault({}).describe('How a request’s resident is known. Used as a keyed hash only.'),
    tokens: tokens
      .prefault({})
      .describe('Document numbers, which become tokens before a request goes on. Off without `pepperFile`.'),
    selection: selection.prefault({}).describe('Choice of a node inside a level.'),
    attempts: attempts.prefault({}).describe('Deadlines and retries.'),
    standby: standby.prefault({}).describe('Donors kept warm for the day they are needed.'),
    hedging: hedging.prefault({}).describe('Second requests against slow nodes.'),
    health: health.prefault({}).describe('Active probes.'),
    breaker: breaker.prefault({}).describe('Passive health: one breaker a node, moved by real requests.'),
    concurrency: concurrency
      .prefault({})
      .describe('How many requests a node can take at once, learnt from its latency and refusals.'),
    classes: classes
      .prefault({})
      .describe('Route classes: which requests are shed first, which share answers.'),
    defaultClass: z
      .enum(['critical', 'important', 'deferrable'])
      .default('important')
      .describe('Class of requests that no class names.'),
    lastGood: lastGood
      .prefault({})
      .describe('Residents’ last good answers, for classes that opt in, for when every level fails.'),
    queue: queue.prefault({}).describe('Short wait for room when every level is full.'),
    protection: protection
      .prefault({})
      .describe('How the gateway saves its own process, each worker by itself.'),
    limits: limits.prefault({}).describe('Bounds against abuse.'),
    headers: headers.prefault({}).describe('What is believed, shown and hidden.'),
    registry: registry.prefault({}).describe('Where operators’ decisions are kept.'),
    discovery: discovery
      .prefault({})
      .describe(
        'Where nodes are found beside those that `regions` lists. They serve the regions of this file.',
      ),
    clientCertificates: clientCertificates
      .default({})
      .describe('Certificates that nodes may demand of this gateway, by name.'),
    enrolment: enrolment.prefault({}).describe('Donors that operators enrol while the gateway runs.'),
    drills: drills.prefault({}).describe('What guards of drills ask for.'),
    drainNoticeMs: ms(
      0,
      600_000,
      0,
      'At a stop, how long `/readyz` says so before the port closes. Longer than your load balancer takes to notice.',
    ),
    drainTimeoutMs: ms(0, 600_000, 15_000, 'At a stop, how long requests in flight may take to end.'),
    logLevel: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('Least log level.'),
    logFormat: z
      .enum(['json', 'text'])
      .default('json')
      .describe('`json`: one object a line. `text`: one line for people.'),
    regions: z.array(region).min(1, 'at least one region').describe('The federation.'),
  })
  .describe('Configuration of a Chiyuan gateway.')

export type Config = z.output<typeof configSchema>
export type RegionConfig = Config['regions'][number]

/** What the listener's block lists take, down to the last octet: one that they refuse would stop a reload halfway. */
function isAddressBlock(entry: string): boolean {
  const [, address = '', bits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? []
  const family = isIP(address)
  return family !== 0 && (bits === undefined || Number(bits) <= (family === 4 ? 32 : 128))
}
