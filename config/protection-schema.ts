// The part of the schema that says when the gateway saves its own process.
import { z } from 'zod'
import { ms, share } from './fields.ts'

interface Steps {
  readonly eased: number
  readonly shedding: number
  readonly closed: number
}

const rising = ({ eased, shedding, closed }: Steps): boolean => eased < shedding && shedding < closed
const inOrder = 'rising: eased below shedding, shedding below closed'

export const protection = z.strictObject({
  eventLoopDelayMs: z
    .strictObject({
      eased: ms(
        10,
        60_000,
        100,
        'From here no hedges are sent and idle connections are kept for a short time.',
      ),
      shedding: ms(10, 60_000, 400, 'From here deferrable requests are turned away too.'),
      closed: ms(100, 600_000, 3000, 'From here new connections are refused.'),
    })
    .refine(rising, inOrder)
    .prefault({})
    .describe('By the p99 delay of the event loop over the last second.'),
  memoryShare: z
    .strictObject({
      eased: share(0.1, 1, 0.75, 'As above.'),
      shedding: share(0.1, 1, 0.85, 'As above.'),
      closed: share(0.1, 1, 0.93, 'As above.'),
    })
    .refine(rising, inOrder)
    .prefault({})
    .describe('By memory in use: resident against the control group or machine, or heap against its limit.'),
  connectionShare: z
    .strictObject({
      eased: share(0.1, 1, 0.75, 'As above.'),
      shedding: share(0.1, 1, 0.9, 'As above.'),
      closed: share(0.1, 2, 2, 'As above. Above 1 never: `limits.connections` refuses by itself.'),
    })
    .refine(rising, inOrder)
    .prefault({})
    .describe('By open client connections over `limits.connections`.'),
  releaseShare: share(
    0.1,
    1,
    0.8,
    'A level is left when every reading is below this share of what demands it.',
  ),
  calmMs: ms(250, 600_000, 5000, 'And has been for so long; then by one level.'),
})
