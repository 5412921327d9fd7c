// Ctrl-C while a game day goes on: noticed at once, obeyed between two steps, so that nothing lies about half done.
import { CommandFailure, exitCodes } from '../failure.ts'

export class Interrupts implements Disposable {
  private readonly leaving = new AbortController()
  private readonly note = (): void => this.leaving.abort()

  constructor() {
    process.on('SIGINT', this.note)
  }

  /** Aborted by Ctrl-C. */
  get signal(): AbortSignal {
    return this.leaving.signal
  }

  /** @throws {CommandFailure} once somebody has pressed Ctrl-C. */
  mustGoOn(): void {
    if (!this.signal.aborted) return
    // While none of its drills is on.
    throw new CommandFailure(exitCodes.interrupted, {
      en: 'the game day was broken off; none of its drills is on',
      zh: '演练日已中止；其中没有进行中的演练',
    })
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.note)
  }
}
