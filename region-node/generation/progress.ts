// Shows how far a long run is: a bar that moves on a terminal, a line every few seconds elsewhere.
import type { WriteStream } from 'node:tty'

/** Where it is shown. Standard error, so that standard output stays what was asked for. */
export type ProgressStream = Pick<WriteStream, 'write'> & {
  readonly isTTY?: boolean
  readonly columns?: number
}

const REDRAW_MS = 100
const LINE_EVERY_MS = 5_000
const BAR_CELLS = 24

export class Progress {
  readonly #stream: ProgressStream
  readonly #total: number
  /** Milliseconds that only grow. */
  readonly #clock: () => number
  #step = ''
  #startedMs = 0
  #shownMs = 0
  #done = 0

  constructor(stream: ProgressStream, total: number, clock: () => number) {
    this.#stream = stream
    this.#total = total
    this.#clock = clock
  }

  /** Begins a step; its rate and time left are its own. */
  step(name: string): void {
    this.end()
    this.#step = name
    this.#done = 0
    this.#startedMs = this.#clock()
    this.#shownMs = this.#startedMs
  }

  done(count: number): void {
    this.#done = count
    const nowMs = this.#clock()
    if (nowMs - this.#shownMs < (this.#stream.isTTY ? REDRAW_MS : LINE_EVERY_MS)) return
    this.#shownMs = nowMs
    this.#show(nowMs)
  }

  note(text: string): void {
    this.#stream.write(`${text}\n`)
  }

  /** Leaves the cursor on a line of its own. */
  end(): void {
    if (this.#step === '') return
    this.#show(this.#clock())
    if (this.#stream.isTTY) this.#stream.write('\n')
    this.#step = ''
  }

  #show(nowMs: number): void {
    const seconds = Math.max((nowMs - this.#startedMs) / 1_000, 0.001)
    const rate = this.#done / seconds
    const left = rate > 0 ? duration((this.#total - this.#done) / rate) : '?'
    const percent = `${Math.floor((100 * this.#done) / this.#total)} %`
    const figures = `${percent}  ${thousands(this.#done)} of ${thousands(this.#total)}  ${thousands(rate)}/s  ${left} left`
    if (!this.#stream.isTTY) {
      this.#stream.write(`${this.#step}: ${figures}\n`)
      return
    }
    const line = `${this.#step} ${bar(this.#done / this.#total)} ${figures}`
    // Erases to the end, and never wraps: a wrapped line could not be drawn over.
    this.#stream.write(`\r${line.slice(0, (this.#stream.columns ?? 80) - 1)}\u001B[K`)
  }
}

const bar = (share: number): string => {
  const full = Math.round(share * BAR_CELLS)
  return `[${'#'.repeat(full)}${'-'.repeat(BAR_CELLS - full)}]`
}

const thousands = (count: number): string => Math.round(count).toLocaleString('en-US')

/** @example duration(91) // '1 m 31 s' */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds)
  const parts: [number, string][] =
    whole < 3_600
      ? [
          [Math.floor(whole / 60), 'm'],
          [whole % 60, 's'],
        ]
      : [
          [Math.floor(whole / 3_600), 'h'],
          [Math.floor((whole % 3_600) / 60), 'm'],
        ]
  const said = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`)
  return said.length === 0 ? '0 s' : said.join(' ')
}
