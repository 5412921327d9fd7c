// Whether a page of home's feed goes on from what was followed, must be read from the start, or is none of that home: pure.
import { isAfter } from '../store/feed.ts'
import type { FeedEntry, FeedPosition } from '../store/feed.ts'
import { PeerError } from './peer-client.ts'
import type { Terms } from './terms.ts'
import type { Page } from './wire.ts'

/** What a donor has of a home. */
export interface Followed {
  readonly home: string
  readonly place: FeedPosition
  readonly terms: Terms | undefined
  readonly whole: boolean
  /** Home's epoch when the reading from the start began; null: not known, such as after a restart. */
  readonly readingEpoch: number | null
}

/**
 * What was read so far is not of the home, or not of the fields, that this page is of. Then nothing of the page is taken.
 *
 * @throws {PeerError} It can't be believed; what to do.
 */
export function mustReadAnew({ home, head, terms, entries }: Page, followed: Followed): boolean {
  const { place } = followed
  if (home !== followed.home)
    throw new PeerError(`it is of ${home}, and ${followed.home} was asked for; correct --follow`)
  // An older epoch than what we have followed: a home that was replaced, and does not know it yet.
  if (head.epoch < place.epoch)
    throw new PeerError(`it is of epoch ${head.epoch}, and epoch ${place.epoch} of ${home} has begun`)
  if (isOfAnother({ head, terms }, followed)) return true
  if (isAfter(place, head)) {
    throw new PeerError(
      `its feed ends at ${placeText(head)}, before ${placeText(place)} that was followed: ` +
        'if it came back from a backup, stop it and run: chiyuan residents begin-epoch',
    )
  }
  requireOrder(entries, place)
  return false
}

function isOfAnother({ head, terms }: Pick<Page, 'head' | 'terms'>, followed: Followed): boolean {
  const { place, whole, readingEpoch } = followed
  if (place.seq === 0) return false
  if (followed.terms !== undefined && !isSame(terms.fields, followed.terms.fields)) return true
  // While it is read from the start its rows are of earlier epochs too, so the place alone does not tell.
  return whole ? head.epoch > place.epoch : head.epoch !== (readingEpoch ?? place.epoch)
}

/** A page out of order would let an older row pass for a newer one. @throws {PeerError} */
function requireOrder(entries: readonly FeedEntry[], from: FeedPosition): void {
  let before = from
  for (const entry of entries) {
    if (!isAfter(entry, before)) throw new PeerError(`its page is out of order after ${placeText(before)}`)
    before = entry
  }
}

const placeText = ({ epoch, seq }: FeedPosition): string => `${epoch}/${seq}`

/** Of plain JSON. */
export const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
