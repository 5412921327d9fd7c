// Markdown tables: the first column to the left, figures to the right.

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? ':---' : '---:'))), ...rows.map(line)].join('\n')
}

/** `12,345` */
export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US')

export const percent = (share: number, digits = 0): string => `${(share * 100).toFixed(digits)} %`

/** Milliseconds: a digit after the point below 100. */
export const ms = (value: number): string => (value < 100 ? value.toFixed(1) : grouped(value))
