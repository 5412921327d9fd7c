// The file of home's agreements, read again when it changes; a bad one never takes the place of the one held.
import { readFile } from 'node:fs/promises'
import { watchFiles } from '../authority/changed-files.ts'
import type { RegionNodeLog } from '../options.ts'
import { StartError } from '../start-error.ts'
import { agreementsSchema } from './terms.ts'
import type { Agreement } from './terms.ts'

export interface AgreementsFile extends AsyncDisposable {
  readonly agreements: readonly Agreement[]
}

/** @throws {StartError} It can't be read or does not fit: which field, and what would be right. */
export async function openAgreements(
  file: string,
  { log, everyMs }: { log: RegionNodeLog; everyMs: number },
): Promise<AgreementsFile> {
  let agreements = await read(file)
  const watching = watchFiles({
    paths: [file],
    everyMs,
    changed: async () => {
      try {
        agreements = await read(file)
      } catch (error) {
        if (!(error instanceof StartError)) throw error
        log.error({ reason: error.message }, 'the changed agreements can’t be used; those held stay in force')
      }
    },
  })
  return {
    get agreements() {
      return agreements
    },
    [Symbol.asyncDispose]: () => watching[Symbol.asyncDispose](),
  }
}

async function read(file: string): Promise<readonly Agreement[]> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new StartError(`agreements ${file} can't be read as JSON: ${String(error)}`, error)
  }
  const checked = agreementsSchema.safeParse(value)
  if (checked.success) return checked.data.agreements
  const faults = checked.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new StartError(`agreements ${file}: ${faults.join('; ')}`)
}
