// Text for a terminal: tables whose columns stand under each other in Chinese too, without control characters.

/**
 * Columns under their heads, two spaces apart; the last is not padded.
 * @param rows Each with a cell for every head.
 */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const clean = [heads, ...rows].map((row) => row.map(oneLine))
  const widths = heads.map((_, column) => Math.max(...clean.map((row) => width(row[column] ?? ''))))
  return clean
    .map(
      (row) =>
        `${row
          .map((cell, i) => padded(cell, widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** `name  value` lines, the names padded to one width. */
export function fields(pairs: readonly (readonly [name: string, value: string])[]): string {
  const widest = Math.max(...pairs.map(([name]) => width(name)))
  return pairs.map(([name, value]) => `${padded(name, widest)}  ${oneLine(value)}\n`).join('')
}

const padded = (text: string, columns: number): string =>
  text + ' '.repeat(Math.max(0, columns - width(text)))

/**
 * What somebody else wrote, on one line and without what a terminal would obey: a reason must not move the cursor,
 * hide a row or turn the text around.
 */
export const oneLine = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').replaceAll(/\p{Bidi_Control}/gu, '')

/** Columns on a terminal: Unicode's East Asian Wide and Fullwidth take two (UAX 11), combining marks none. */
export function width(text: string): number {
  let columns = 0
  for (const char of text) columns += narrow.test(char) ? 1 : none.test(char) ? 0 : wide.test(char) ? 2 : 1
  return columns
}

/** As much of a line as fits into so many columns. */
export function cut(line: string, columns: number): string {
  if (width(line) <= columns) return line
  let kept = ''
  let used = 1
  for (const char of line) {
    used += width(char)
    if (used > columns) break
    kept += char
  }
  return `${kept}…`
}

const narrow = /^[\u0020-\u02FF\uFF61-\uFFDC]$/
const none = /^[\p{Mn}\p{Me}\p{Cf}]$/u
const wide =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303E\uFF01-\uFF60\uFFE0-\uFFE6]$/u
