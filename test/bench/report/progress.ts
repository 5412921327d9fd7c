// A progress bar with the time left, on standard error. Without a terminal: a line for each step.

export class Progress {
  private readonly totalMs: number
  private doneMs = 0
  private stepMs = 0
  private stepName = ''
  private stepStartedAt = 0
  private readonly timer: NodeJS.Timeout | null
  private readonly isTerminal = process.stderr.isTTY

  /** @param totalMs Expected length of all steps together. */
  constructor(totalMs: number) {
    this.totalMs = totalMs
    this.timer = this.isTerminal ? setInterval(() => this.draw(), 500) : null
  }

  /** The expected length of the steps that follow, ms. */
  set eachStepMs(ms: number) {
    this.stepMs = ms
  }

  begin(name: string): void {
    this.stepName = name
    this.stepStartedAt = performance.now()
    this.draw()
    if (!this.isTerminal) process.stderr.write(`${this.line()}\n`)
  }

  end(): void {
    this.doneMs += this.stepMs
    this.stepStartedAt = 0
  }

  /** A line that stays. */
  say(text: string): void {
    process.stderr.write(this.isTerminal ? `\r\u001B[K${text}\n` : `${text}\n`)
  }

  close(): void {
    if (this.timer !== null) clearInterval(this.timer)
    if (this.isTerminal) process.stderr.write('\r\u001B[K')
  }

  private draw(): void {
    if (this.isTerminal) process.stderr.write(`\r\u001B[K${this.line()}`)
  }

  private line(): string {
    const inStep = this.stepStartedAt === 0 ? 0 : performance.now() - this.stepStartedAt
    const done = this.doneMs + Math.min(inStep, this.stepMs)
    const share = Math.min(1, done / Math.max(1, this.totalMs))
    const full = Math.round(share * 24)
    const left = Math.ceil(Math.max(0, this.totalMs - done) / 1000)
    const minutes = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
    const bar = '█'.repeat(full) + '░'.repeat(24 - full)
    return `${bar} ${String(Math.round(share * 100)).padStart(3)} %  ${minutes} left  ${this.stepName}`
  }
}
