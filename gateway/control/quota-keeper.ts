// Keeps this process to its part of what donors lend, where several processes share it.
import type { Clock } from '../model/clock.ts'
import { pledgeName, type QuotaShares } from '../model/quota-shares.ts'
import type { Board } from './health/board.ts'

const periodMs = 1000

export class QuotaKeeper implements Disposable {
  private readonly board: Board
  private readonly quotas: QuotaShares
  private readonly clock: Clock
  private cancel: () => void

  constructor(board: Board, quotas: QuotaShares, clock: Clock) {
    this.board = board
    this.quotas = quotas
    this.clock = clock
    this.apply()
    quotas.watch(() => this.apply())
    this.cancel = clock.after(periodMs, () => this.tick())
  }

  [Symbol.dispose](): void {
    this.cancel()
    this.quotas.watch(() => {})
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
    // Also for lenders that the last share came too early for.
    this.apply()
  }

  private apply(): void {
    for (const [code, donor] of this.board.lenders()) {
      const rps = this.quotas.share(pledgeName(code, 'rps'))
      const open = this.quotas.share(pledgeName(code, 'open'))
      donor.useParts({ ...(rps !== undefined && { rps }), ...(open !== undefined && { open }) })
    }
  }
}
