// The part of the schema that says what happens when there is too much: limits learnt, classes, the queue.
import { z } from 'zod'
import { bytes, count, ms } from './fields.ts'

export const concurrency = z.strictObject({
  initial: count(1, 100_000, 10, 'Requests that a node may have open before anything was learnt of it.'),
  floor: count(1, 10_000, 4, 'Learning never takes a node below this.'),
  ceiling: count(1, 1_000_000, 10_000, 'Learning never lets a node have more open than this.'),
  tolerance: z
    .number()
    .min(1)
    .max(10)
    .default(1.5)
    .describe('Latency taken for unqueued, as a multiple of the node’s own at ease.'),
  slackMs: ms(0, 10_000, 10, 'And so much more, since a fast node’s latency is mostly noise of the way.'),
  loadPath: z
    .string()
    .startsWith('/', 'a path that begins with a slash, such as /load')
    .optional()
    .describe(
      'Where nodes report their own limit, such as /load, as JSON with `limit`. It can only lower it.',
    ),
})

const route = z.strictObject({
  methods: z
    .array(z.string().regex(/^[A-Z]+$/, 'a method in capitals, such as GET'))
    .min(1, 'at least one method')
    .optional()
    .describe('Methods. Default: all.'),
  path: z
    .string()
    .regex(
      /^\/(?:[^/?#*{}]+|\*)?(?:\/(?:[^/?#*{}]+|\*))*(?:\/|\/\*\*)?$/,
      'a path whose segments may be * for any one, and ** at the end for any rest, such as /v1/codes/*',
    )
    .describe('Path without query. `*` stands for one segment, `**` at the end for any rest.'),
})

const routeClass = (routes: z.input<typeof route>[], doc: string) =>
  z
    .strictObject({
      routes: z.array(route).default(routes).describe('Requests of this class.'),
      coalesce: z
        .boolean()
        .default(false)
        .describe('Identical safe requests of one resident that are in flight share one upstream request.'),
      lastGood: z
        .boolean()
        .default(false)
        .describe('Keep the last good answer to each resident, for when every level fails.'),
    })
    .prefault({})
    .describe(doc)

export const classes = z.strictObject({
  critical: routeClass(
    [{ path: '/v1/codes/*' }, { methods: ['POST'], path: '/v1/verifications' }],
    'Shown and verified at a checkpoint: shed last of all.',
  ),
  important: routeClass([{ path: '/v1/tests/**' }], 'Such as test results.'),
  deferrable: routeClass([], 'What can wait, such as history and bulk: shed first.'),
})

export const lastGood = z.strictObject({
  enabled: z.boolean().default(true).describe('The one switch: `false` keeps and serves nothing.'),
  maxAgeSeconds: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(300)
    .describe('Age up to which an answer is served when every level fails.')
    .meta({ unit: 's' }),
  answerBytes: bytes(256, 1_048_576, 16_384, 'Longer answers are not kept.'),
  memoryBytes: bytes(1024, 17_179_869_184, 67_108_864, 'Memory for what is kept; read at the start.'),
})

export const queue = z.strictObject({
  size: count(0, 1_000_000, 1000, 'Requests that may wait for room; 0 refuses at once.'),
  targetWaitMs: ms(1, 60_000, 30, 'Wait at which all but critical requests are shed.'),
  maxWaitMs: ms(1, 60_000, 200, 'Longest wait; who would wait longer is refused at once.'),
})
