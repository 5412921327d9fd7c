// How old an answer may be shown when nobody can be asked, as its own `Cache-Control` says.

export interface Staleness {
  /** For how long it is fresh. */
  readonly freshSeconds: number
  /** Age above which it must not be shown; `Infinity` where it sets no bound. */
  readonly mostSeconds: number
}

/**
 * @param told All `Cache-Control` values of an answer, lower-cased.
 * @example stalenessOf('max-age=10, stale-if-error=300') // { freshSeconds: 10, mostSeconds: 310 }
 */
export function stalenessOf(told: string): Staleness {
  const directives = directivesOf(told)
  const shared = directives.get('s-maxage')
  const freshSeconds = directives.has('no-cache') ? 0 : (shared ?? directives.get('max-age') ?? 0)
  // RFC 9111 sections 5.2.2.2, 5.2.2.8 and 5.2.2.10: not even when nobody can be asked. RFC 5861 does not lift this.
  const neverStale =
    shared !== undefined || directives.has('must-revalidate') || directives.has('proxy-revalidate')
  if (neverStale) return { freshSeconds, mostSeconds: freshSeconds }
  const onError = directives.get('stale-if-error')
  return { freshSeconds, mostSeconds: onError === undefined ? Infinity : freshSeconds + onError }
}

/** Seconds by directive; 0 for what has none or none that can be read. Of a directive that stands twice, the least. */
function directivesOf(told: string): Map<string, number> {
  const directives = new Map<string, number>()
  for (const [, name = '', value = ''] of told.matchAll(/([a-z-]+)(?:\s*=\s*("[^"]*"|[^\s,]*))?/g)) {
    const digits = /^"?(\d+)"?$/.exec(value)?.[1] ?? '0'
    directives.set(name, Math.min(Number(digits), directives.get(name) ?? Infinity))
  }
  return directives
}
