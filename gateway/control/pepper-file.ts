// The peppers that tokens are made with: read at the start and at every reload, never kept anywhere else.
import type { Config } from '../../config/schema.ts'
import { PepperFileError, readPeppers, type Pepper } from '../../region-node/tokens/peppers.ts'
import { MOST_EPOCHS } from '../../region-node/tokens/token-id.ts'
import { UsageError } from '../model/errors.ts'

/**
 * @returns Newest epoch first; `null` where no file is configured, so no tokens are made.
 * @throws {UsageError} Names the file and what is wrong with it, never what is in it.
 */
export function peppersOf({ tokens }: Config): readonly Pepper[] | null {
  const { pepperFile } = tokens
  if (pepperFile === undefined) return null
  try {
    const peppers = readPeppers(pepperFile)
    if (peppers.length <= MOST_EPOCHS) return peppers
    throw new UsageError(
      `${pepperFile}: ${peppers.length} epochs; a request can name ${MOST_EPOCHS}: remove the oldest, under which nobody stands any longer`,
    )
  } catch (cause) {
    if (cause instanceof PepperFileError) throw new UsageError(`tokens.pepperFile: ${cause.message}`)
    throw cause
  }
}
