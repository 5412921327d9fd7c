// Keeps this process to its part of what donors lend, where several processes share it.
import type { Clock } from '../model/clock.ts'
import { pledgeName, type QuotaShares } from '../model/quota-shares.ts'
import type { Board } from './health/board.ts'

const periodMs = 1000

export class QuotaKeeper implements Disposable {
  private readonly board: Board
  private readonly quotas: QuotaShares
  private readonly clock: Clock
  private readonly processes: number
  private cancel: () => void

  /** @param processes Processes that share what donors lend, this one included. */
  constructor(board: Board, quotas: QuotaShares, clock: Clock, processes: number) {
    this.board = board
    this.quotas = quotas
    this.clock = clock
    this.processes = processes
    this.apply()
    quotas.watch(() => this.apply())
    this.cancel = clock.after(periodMs, () => this.tick())
  }

  [Symbol.dispose](): void {
    this.cancel()
    this.quotas.watch(() => {})
  }

  /** To be called after every snapshot: a donor that is new in it has no share yet. */
  follow(): void {
    this.apply()
  }

  private tick(): void {
    this.cancel = this.clock.after(periodMs, () => this.tick())
    const demands: Record<string, number> = {}
    for (const [code, donor] of this.board.lenders()) {
      const { rps, open } = donor.takeDemand()
      if (rps !== undefined) demands[pledgeName(code, 'rps')] = rps
      if (open !== undefined) demands[pledgeName(code, 'open')] = open
    }
    this.quotas.report(demands)
    this.apply()
  }

  private apply(): void {
    for (const [code, donor] of this.board.lenders()) {
      const { limitRps, limitConcurrent } = donor.lending
      // Until whoever divides has heard of a new pledge, an equal part of it: together no more than it.
      const rps = this.quotas.share(pledgeName(code, 'rps')) ?? limitRps / this.processes
      const open = this.quotas.share(pledgeName(code, 'open')) ?? Math.floor(limitConcurrent / this.processes)
      donor.useParts({ rps, open })
    }
  }
}
