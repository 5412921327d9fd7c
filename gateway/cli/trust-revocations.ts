// What a revocation list is signed from: a description, the losses in a node's data file, or both.
import { z } from 'zod'
import { ConfigError } from '../../config/problem.ts'
import { paperName } from '../../region-node/paper-name.ts'
import type { RevocationListContent } from '../../region-node/signing/list-signer.ts'
import { LossesUnknown, readLostPapers } from '../../region-node/store/lost-papers.ts'
import { kidField, revocationIdField, subjectField } from '../../region-node/verify/fields.ts'
import { UsageError } from '../model/errors.ts'
import { instantValue, readDescription } from './description.ts'

const schema = z.strictObject({
  kid: kidField.optional(),
  revoked: z.array(
    z.union(
      [
        z.strictObject({ rid: revocationIdField, before: instantValue.optional() }),
        z.strictObject({ sub: subjectField, before: instantValue }),
      ],
      'rid of 8 to 24 characters and perhaps before, or sub and before; before is a time with its zone',
    ),
  ),
})

export type Revoked = RevocationListContent['revoked']

export interface Revocations {
  /** Undefined: the key that signs now. */
  readonly kid: string | undefined
  readonly revoked: Revoked
}

/** @throws {ConfigError} with everything that is wrong in the description. */
export function readRevocations(text: string, file: string): Revocations {
  const { content, problems } = readDescription(text, file, schema, false)
  if (content === null) throw new ConfigError(problems)
  const revoked = content.revoked.map((entry) =>
    'rid' in entry && entry.before === undefined ? { rid: entry.rid } : entry,
  )
  return { kid: content.kid, revoked }
}

/** @param dataFile Of the region's writer. @throws {UsageError} when it can't tell what was lost. */
export function lossesIn(dataFile: string, region: string, nowMs: number): Revoked {
  try {
    return readLostPapers(dataFile, region, nowMs).map((codeId) => ({ rid: paperName(codeId) }))
  } catch (cause) {
    if (cause instanceof LossesUnknown) throw new UsageError(`--lost-from: ${cause.message}`)
    throw cause
  }
}
