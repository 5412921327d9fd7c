// When a node that refused wants to be asked again.

/** Longest pause that a node is believed, ms. */
const longestMs = 3_600_000

/**
 * Retry-After as seconds (RFC 9110 section 10.2.3). Its other form, a date, would need the node's clock to be right,
 * and is read as one second.
 *
 * @returns Milliseconds, or `null` where the header is absent or means nothing.
 */
export function retryAfterMs(header: string | string[] | undefined): number | null {
  const value = Array.isArray(header) ? header[0] : header
  if (value === undefined || value.trim() === '') return null
  const text = value.trim()
  if (/^\d{1,10}$/.test(text)) return Math.min(longestMs, Number(text) * 1000)
  return /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [\d:]{8} GMT$/.test(text) ? 1000 : null
}
