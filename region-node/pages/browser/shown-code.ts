// Decides what a resident's page shows now, of what it last heard and of what it carries. No I/O, no clock.
import type { CodeAnswer, Colour } from './code-answer.ts'

/** What the page knows; all of it about one resident. */
export interface Known {
  /** The newest display code. */
  readonly display: CodeAnswer | null
  /** The credential for when nothing answers. */
  readonly carried: CodeAnswer | null
  /** Whether the display code was the gateway's last good answer, since nobody could be asked. */
  readonly lastGood: boolean
}

/** `home`: from the home region. `support`: from one that stands in. `kept`: the gateway's last good answer. */
export type Source = 'home' | 'support' | 'kept' | 'carried'

export type Shown = { code: CodeAnswer; source: Source } | { code: null; source: 'none' }

const severity: Record<Colour, number> = { green: 0, yellow: 1, red: 2 }

/** Never a better colour than what was heard last: an older credential that was greener stays in the pocket. */
export function shownCode({ display, carried, lastGood }: Known, nowMs: number): Shown {
  if (display !== null && nowMs < display.validUntil)
    return { code: display, source: sourceOf(display, lastGood) }
  if (carried === null || nowMs >= carried.validUntil) return { code: null, source: 'none' }
  return isOutdated(carried, display) ? { code: null, source: 'none' } : { code: carried, source: 'carried' }
}

/** Whether another credential is needed: there is none, it says otherwise than the newest code, or it is half spent. */
export function needsCredential({ display, carried }: Known, nowMs: number): boolean {
  if (carried === null || isOutdated(carried, display)) return true
  return nowMs >= (carried.issuedAt + carried.validUntil) / 2
}

const isOutdated = (carried: CodeAnswer, display: CodeAnswer | null): boolean =>
  display !== null &&
  severity[carried.status] < severity[display.status] &&
  carried.updatedAt <= display.updatedAt

const sourceOf = ({ issuer, divisionCode }: CodeAnswer, lastGood: boolean): Source =>
  lastGood ? 'kept' : issuer === divisionCode ? 'home' : 'support'

/** When to ask again, ms from now: in the middle of a code's life; sooner and sooner spaced out after failures. */
export function nextAskMs(shown: Shown, failures: number, nowMs: number, draw: number): number {
  const spread = 0.8 + 0.4 * draw
  if (failures > 0) return Math.min(60_000, 4_000 * 2 ** (failures - 1)) * spread
  if (shown.code === null) return 10_000 * spread
  const half = (shown.code.validUntil - shown.code.issuedAt) / 2
  const due = shown.source === 'carried' ? 20_000 : shown.code.issuedAt + half - nowMs
  return Math.max(5_000, due) * spread
}
