// What came of each drill in a few words, kept beside its report: a scoreboard must not read every report of years.
import { setImmediate as breath } from 'node:timers/promises'
import { z } from 'zod'
import { drillEndings } from '../../model/drill.ts'
import { verdicts } from '../../policy/drill-report.ts'
import { type DrillResult, faultKinds } from '../../policy/drill-scoreboard.ts'
import { nodeField, regionField } from '../intent/drills.ts'
import type { Registry, RegistryChange } from '../registry/port.ts'
import { listTyped } from '../registry/typed.ts'

export const drillResultPrefix = 'drill-results/'
const pageSize = 500

const drillResultSchema: z.ZodType<DrillResult> = z.object({
  drill: z.string().min(1).max(64),
  fault: z.enum(faultKinds),
  reached: z.record(regionField, z.array(nodeField)),
  endedAt: z.number(),
  ending: z.enum(drillEndings).nullable(),
  verdict: z.enum(verdicts),
})

/** Written once, together with the report. */
export const resultWrite = (result: DrillResult): RegistryChange => ({
  key: drillResultPrefix + result.drill,
  value: drillResultSchema.parse(result),
  expectedVersion: 0,
})

/** @throws {RegistryUnavailable} */
export async function drillResults(registry: Registry): Promise<DrillResult[]> {
  const all: DrillResult[] = []
  for (let after = ''; ;) {
    const page = await listTyped(registry, drillResultPrefix, drillResultSchema, { after, limit: pageSize })
    for (const { value } of page) all.push(value)
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) return all
    after = drillResultPrefix + last.value.drill
    // The embedded registry answers at once, in a process that serves residents.
    await breath()
  }
}
