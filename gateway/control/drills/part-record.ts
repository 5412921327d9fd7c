// A gateway's part of a drill's measures, as it stands in the registry: small enough to be written every two seconds.
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import { z } from 'zod'
import type { DrillMeasures } from '../../policy/drill-measure.ts'
import { type GatewayPart, thinned } from '../../policy/drill-part.ts'
import type { RegistryRecord } from '../registry/port.ts'
import { measuresSchema } from './measures-record.ts'

export const drillPartPrefix = 'drill-measures/'
export const partsOf = (drill: string): string => `${drillPartPrefix}${drill}/`

export interface KeptPart extends GatewayPart {
  /** Its residents are still in the drill, be it on their way back. */
  readonly inForce: boolean
  readonly measures: DrillMeasures
}

/** What is inflated of it at the most, bytes: nobody's few bytes are to fill the memory. */
const inflatedAtMost = 1024 * 1024
const deflated = promisify(deflateRaw)
const inflated = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflateRaw)

const time = z.number().min(0)
const span = { from: time, to: time }
const schema = z.strictObject({
  gateway: z.string().min(1).max(100),
  ...span,
  missing: z.array(z.strictObject(span)).max(100),
  inForce: z.boolean(),
  measures: z.base64(),
})

export async function toPartRecord(part: KeptPart): Promise<z.output<typeof schema>> {
  const measures = await deflated(JSON.stringify(thinned(part.measures)))
  return { ...part, missing: part.missing.slice(-100), measures: measures.toString('base64') }
}

/** @returns `null` for what is none, or of another release: the others' figures count without it. */
export async function fromPartRecord({ value }: Pick<RegistryRecord, 'value'>): Promise<KeptPart | null> {
  const read = schema.safeParse(value).data
  if (read === undefined) return null
  try {
    const text = await inflated(Buffer.from(read.measures, 'base64'), { maxOutputLength: inflatedAtMost })
    const measures: unknown = JSON.parse(text.toString())
    return { ...read, measures: measuresSchema.parse(measures) }
  } catch {
    return null
  }
}
