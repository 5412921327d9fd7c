// The mode that an operator has set, as it stands in the registry.
import { z } from 'zod'
import { modes } from '../../model/mode.ts'

export const modeKey = 'intent/mode'

export const modeSchema = z.strictObject({
  /** `null`: the configuration file's mode is in force. */
  mode: z.enum(modes).nullable(),
  owner: z.string().min(1).max(200),
  reason: z.string().min(1).max(2000),
  setAt: z.number().int().positive(),
})

export type ModeSetting = z.output<typeof modeSchema>
