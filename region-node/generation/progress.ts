// Shows how far a long run is: a bar that moves on a terminal, a line every few seconds elsewhere.
import type { WriteStream } from 'node:tty'

/** Where it is shown. Standard error, so that standard output stays what was asked for. */
export type ProgressStream = Pick<WriteStream, 'write'> & {
  readonly isTTY?: boolean
  readonly columns?: number
}

const REDRAW_MS = 100
const LINE_EVERY_MS = 5_000
const MOST_BAR_CELLS = 24
const LEAST_BAR_CELLS = 4
const ERASE_TO_END = '\u001B[K'

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
    // Never wraps: a wrapped line could not be drawn over.
    const room = (this.#stream.columns ?? 80) - 1
    const cells = Math.min(MOST_BAR_CELLS, room - this.#step.length - figures.length - 4)
    const line = `${this.#step} ${bar(this.#done / this.#total, cells)}${figures}`
    this.#stream.write(`\r${line.slice(0, room)}${ERASE_TO_END}`)
  }
}

/** As wide as there is room for beside the figures, which matter more. */
function bar(share: number, cells: number): string {
  if (cells < LEAST_BAR_CELLS) return ''
  const full = Math.round(share * cells)
  return `[${'#'.repeat(full)}${'-'.repeat(cells - full)}] `
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
