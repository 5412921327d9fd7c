// The part of the schema that says how far drills may go.
import { z } from 'zod'
import { count, ms, share } from './fields.ts'

export const drills = z.strictObject({
  approvalAbove: z
    .strictObject({
      homes: count(0, 20, 1, 'Home regions of one drill.'),
      cohort: share(0, 1, 0.1, 'Share of their residents.'),
      trafficShare: share(0, 1, 0.05, 'Share of all requests of this moment.'),
    })
    .prefault({})
    .describe('Blast radius above which another person approves a drill. A lost registry always wants that.'),
  waitMs: ms(0, 7 * 86_400_000, 600_000, 'From the end of one drill until the next of the same home.'),
  minLevels: count(1, 4, 2, 'Levels that its residents shall have left; all, where they never had so many.'),
  minRoomShare: share(0, 1, 0.2, 'Share of all capacity that shall stay free.'),
})
