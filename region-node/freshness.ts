// How near to home's own word an answer is, and who is home's only writer.
import type { Freshness } from './resident.ts'
import type { CodeService } from './service.ts'

/**
 * `live`: home itself, or a node of home's region that is as near to its writer as agreed. `replica`: a donor as near
 * as agreed. `stale`: neither, so the time of the data counts.
 */
export function freshnessFor(
  { copies, regionCode }: Pick<CodeService, 'copies' | 'regionCode'>,
  home: string,
): Freshness {
  const near = home === regionCode ? 'live' : 'replica'
  const copy = copies.find(home)
  return copy === undefined ? near : copy.standing().freshness === 'stale' ? 'stale' : near
}

/** Why this node may not answer for residents of `home` from what it holds; null when it may. */
export const copyFaultFor = ({ copies }: Pick<CodeService, 'copies'>, home: string): string | null =>
  copies.find(home)?.standing().fault ?? null

/** Whether this node decides over residents of `home`: it is of that region, and follows no other node of it. */
export const isWriterOf = (
  { copies, regionCode }: Pick<CodeService, 'copies' | 'regionCode'>,
  home: string,
) => home === regionCode && copies.find(home) === undefined
