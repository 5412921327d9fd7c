// Reads JSON only as `JSON.stringify` would have written it, so that one text has one meaning.

export type JsonReading = { ok: true; value: unknown } | { ok: false }

/**
 * Parsers disagree on which of two equal members counts (RFC 8259 section 4): a code with two colours would be green
 * at one checkpoint and red at the next. Writing the value again finds that, and white space, `1e3`, `-0` and numbers
 * that a double can't hold too.
 */
export function readCanonicalJson(text: string): JsonReading {
  try {
    const value: unknown = JSON.parse(text)
    return JSON.stringify(value) === text ? { ok: true, value } : { ok: false }
  } catch {
    // Also where it is nested deeper than the stack.
    return { ok: false }
  }
}
