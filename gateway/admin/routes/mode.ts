// /mode: 平战, set by operators over what the configuration file says.
import { z } from 'zod'
import { modeKey, modeSchema } from '../../control/intent/mode.ts'
import { readTyped } from '../../control/registry/typed.ts'
import { modes } from '../../model/mode.ts'
import { type AdminRoute, noBody, none, operation } from '../operation.ts'
import { mustMatch, type Plane, timeText } from '../plane.ts'
import { Problem } from '../problem.ts'
import { reasonField } from '../schemas/holds.ts'

const modeAnswer = z
  .object({
    mode: z.enum(modes).describe('In force.'),
    setBy: z.enum(['operators', 'file']),
    file: z.enum(modes).describe('What the configuration file says.'),
    owner: z.string().nullable(),
    reason: z.string().nullable(),
    since: z.iso.datetime().nullable().describe('When operators last decided.'),
    version: z.int().describe('The ETag, without its quotes.'),
  })
  .meta({ id: 'Mode' })

const newMode = z.strictObject({
  mode: z.enum(modes).nullable().describe('`null` leaves it to the configuration file again.'),
  reason: reasonField,
})

export const modeRoutes = (plane: Plane): AdminRoute[] => [
  {
    path: '/mode',
    methods: {
      get: operation({
        summary: 'The mode in force',
        permission: 'read',
        params: none,
        query: none,
        body: noBody,
        answer: { status: 200, schema: modeAnswer },
        handle: async () => {
          const { answer, version } = await current(plane)
          return { body: answer, version }
        },
      }),
      put: operation({
        summary: 'Set the mode',
        description: 'Concerns every region, so it takes the scope `*`.',
        permission: 'set-mode',
        action: 'mode.set',
        params: none,
        query: none,
        body: newMode,
        answer: { status: 200, schema: modeAnswer },
        needsMatch: true,
        handle: async (asked) => {
          if (asked.operator.scope !== '*') {
            throw new Problem('forbidden', 'the mode concerns every region; it takes a scope of *')
          }
          const before = await current(plane)
          mustMatch(before.version, asked.ifMatch, 'mode')
          const { mode, reason } = asked.body
          const setting = { mode, owner: asked.operator.name, reason, setAt: plane.wallNow() }
          const version = before.version + 1
          const after = answerOf(plane, setting, version)
          return plane.desk.make(asked, {
            action: 'mode.set',
            target: 'mode',
            reason,
            before: before.answer,
            after,
            writes: [{ key: modeKey, value: setting, expectedVersion: before.version }],
            answer: { body: after, version },
          })
        },
      }),
    },
  },
]

type Setting = z.output<typeof modeSchema>

async function current(plane: Plane) {
  const record = await readTyped(plane.registry, modeKey, modeSchema)
  const version = record?.version ?? 0
  return { version, answer: answerOf(plane, record?.value ?? null, version) }
}

function answerOf(plane: Plane, setting: Setting | null, version: number): z.output<typeof modeAnswer> {
  const file = plane.fileMode()
  return {
    mode: setting?.mode ?? file,
    setBy: setting === null || setting.mode === null ? 'file' : 'operators',
    file,
    owner: setting?.owner ?? null,
    reason: setting?.reason ?? null,
    since: setting === null ? null : timeText(setting.setAt),
    version,
  }
}
