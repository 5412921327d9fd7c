// Keeps this process to its part of what donors lend, where several processes share it.
import type { Clock } from '../model/clock.ts'
import { pledgeName, type PledgeUnit, type QuotaShares } from '../model/quota-shares.ts'
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

  /** To be called after every snapshot: a donor that is new in it has no share yet. */
  follow(): void {
    this.apply()
  }

  private tick(): void {
    this.cancel = this.clock.after(periodMs, () => this.tick())
    // First: what is told to be in use is what is in force from now on.
    this.apply()
    const demands: Record<string, number> = {}
    const inUse: Record<string, number> = {}
    for (const [code, donor] of this.board.lenders()) {
      const { rps, open } = donor.takeDemand()
      const { ownPart, lentNow } = donor
      if (rps !== undefined) {
        demands[pledgeName(code, 'rps')] = rps
        inUse[pledgeName(code, 'rps')] = ownPart.rps
      }
      if (open !== undefined) {
        demands[pledgeName(code, 'open')] = open
        // A smaller part ends nothing that is open.
        inUse[pledgeName(code, 'open')] = Math.max(ownPart.open, lentNow)
      }
    }
    this.quotas.report(demands, inUse)
    this.apply()
  }

  private apply(): void {
    for (const [code, donor] of this.board.lenders()) {
      const { limitRps, limitConcurrent } = donor.lending
      const open = this.part(code, 'open', limitConcurrent)
      donor.useParts({ rps: this.part(code, 'rps', limitRps), open: Math.floor(open) })
    }
  }

  private part(code: string, unit: PledgeUnit, limit: number): number {
    if (limit === Infinity) return Infinity
    return this.quotas.share(pledgeName(code, unit)) ?? limit * this.quotas.unheardPart
  }
}
