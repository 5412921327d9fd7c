// /drills/{id}/progress: how a drill that is on stands at this moment.
import { noBody, none, operation } from '../operation.ts'
import type { Plane } from '../plane.ts'
import { drillProgress, progressOf } from '../schemas/drill-progress.ts'
import { drillOf, oneDrill } from './drill-steps.ts'

export const progressing = (plane: Plane) =>
  operation({
    summary: 'How a drill stands at this moment',
    description: 'Cheap: to be asked once a second. What came of it in the end stands in its report.',
    permission: 'read',
    params: oneDrill,
    query: none,
    body: noBody,
    answer: { status: 200, schema: drillProgress },
    handle: async ({ params }) => {
      const { value: drill } = await drillOf(plane, params.id)
      return { body: progressOf(drill, await plane.drills.measures(drill.id), plane.wallNow()) }
    },
  })
