// A bar for work that takes a while: on a terminal alone, and on standard error, so that no output has it in it.

import { cut } from '../table.ts'

const columns = 30
const everyMs = 100
const eraseLine = '\r\u001B[K'

export class ProgressBar implements Disposable {
  private readonly whole: number
  private shownAt: number

  /** @param whole What {@link at} reaches at the end, more than 0. */
  constructor(whole: number) {
    this.whole = whole
    // What is done at once needs no bar.
    this.shownAt = performance.now()
  }

  at(done: number, note = ''): void {
    const now = performance.now()
    if (!process.stderr.isTTY || now - this.shownAt < everyMs) return
    this.shownAt = now
    const share = Math.min(1, done / this.whole)
    const filled = Math.round(share * columns)
    const bar = '#'.repeat(filled) + '-'.repeat(columns - filled)
    // A line that went on into the next could not be erased.
    const line = cut(`[${bar}] ${Math.round(share * 100)} % ${note}`, (process.stderr.columns || 80) - 1)
    process.stderr.write(`${eraseLine}${line}`)
  }

  clear(): void {
    if (process.stderr.isTTY) process.stderr.write(eraseLine)
  }

  [Symbol.dispose](): void {
    this.clear()
  }
}
