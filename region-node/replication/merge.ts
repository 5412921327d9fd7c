// How what a stand-in took and what home knows become one: pure, and never for the better.
import { afterTest } from '../resident.ts'
import type { CodeStatus, Resident } from '../resident.ts'
import { isAfter } from '../store/feed.ts'
import type { FeedPosition } from '../store/feed.ts'
import type { TakenWrite } from './wire.ts'

/** A resident with the effect of a write that home has not made yet. Registrations have none. */
export const withWrite = (resident: Resident, write: TakenWrite): Resident =>
  write.kind === 'test' ? afterTest(resident, write) : resident

/** What a copy shows: home's row, and on it whatever this node took that the row can't hold yet. */
export const shown = (row: Resident, waiting: readonly TakenWrite[]): Resident =>
  waiting.reduce(withWrite, row)

export interface Merged {
  readonly resident: Resident
  /** Why a person should look: home had changed its mind since the stand-in's knowledge, and the colours differ. */
  readonly review: { readonly homeStatus: CodeStatus; readonly takenStatus: CodeStatus } | null
}

/**
 * Home takes in a write. The more restrictive colour counts.
 *
 * @param place Of home's row now.
 */
export function mergeWrite(home: Resident, place: FeedPosition, write: TakenWrite): Merged {
  const resident = withWrite(home, write)
  const meanwhile = isAfter(place, write.basis)
  const differs = resident.status !== home.status
  const review = meanwhile && differs ? { homeStatus: home.status, takenStatus: resident.status } : null
  return { resident, review }
}
