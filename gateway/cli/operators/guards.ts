// What guards say, in words; one that this release does not know is told by its name.
import { z } from 'zod'
import { isNodeId, isRegionId, type NodeId, type RegionId } from '../../model/ids.ts'
import { wordsOf } from '../../policy/guard-words.ts'
import { guardNames } from '../../policy/guards.ts'
import type { Words } from './language.ts'

const region = z.custom<RegionId>((value) => typeof value === 'string' && isRegionId(value)).nullable()
const known = z.object({
  guard: z.enum(guardNames),
  severity: z.enum(['object', 'warn']),
  isHard: z.boolean(),
  home: region,
  region,
  nodes: z.array(z.custom<NodeId>((value) => typeof value === 'string' && isNodeId(value))),
  found: z.number(),
  bound: z.number(),
})

export const guardSchema = z.looseObject({ guard: z.string(), severity: z.string() })

export function guardText(guard: z.output<typeof guardSchema>): Words {
  const { data } = known.safeParse(guard)
  if (data === undefined) return { en: guard.guard, zh: guard.guard }
  const { en, zh } = wordsOf(data)
  return { en: `${guard.guard}: ${en}`, zh: `${guard.guard}：${zh}` }
}
