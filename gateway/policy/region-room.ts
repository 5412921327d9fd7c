// What one region can take and lend, while a forecast gives it requests.
import type { RegionId } from '../model/ids.ts'
import type { Lending } from '../model/region.ts'
import type { NodeCapacity } from './capacity.ts'

export interface RegionForecast {
  readonly region: RegionId
  /** For its own residents. */
  readonly ownRps: number
  /** For other regions'. */
  readonly borrowedRps: number
  /** Of its serving nodes; `null`: unknown. */
  readonly capacityRps: number | null
  /** Of its capacity, 0 to 1; `null`: unknown. */
  readonly utilisation: number | null
  /** What it may lend at the most by its pledge and reserve; `null`: not bounded by anything known. */
  readonly lendableRps: number | null
  /** Of what it may lend, 0 to 1; `null`: unknown. */
  readonly lendingUse: number | null
}

const lendsAll: Lending = { limitRps: Infinity, limitConcurrent: Infinity, homeReserve: 0 }

export class RegionRoom {
  readonly region: RegionId
  readonly capacities: readonly NodeCapacity[]
  /** It has a node that serves. */
  readonly serves: boolean
  /** Requests a second; `Infinity`: unknown. */
  private readonly capacity: number
  private readonly lending: Lending
  private ownRps = 0
  private borrowedRps = 0

  constructor(region: RegionId, capacities: readonly NodeCapacity[], lending: Lending = lendsAll) {
    const serving = capacities.filter(({ serves }) => serves)
    this.region = region
    this.capacities = capacities
    this.lending = lending
    this.serves = serving.length > 0
    this.capacity = serving.reduce((sum, { rps }) => sum + (rps ?? Infinity), 0)
  }

  get total(): number {
    return this.ownRps + this.borrowedRps
  }

  /** Requests a second that it may lend beyond what it lends already; `Infinity` where nothing known bounds it. */
  get toLend(): number {
    return Math.max(0, this.lendable - this.borrowedRps)
  }

  /** @returns Requests a second that it takes of `rps`. */
  take(rps: number, borrowed: boolean): number {
    const room = borrowed ? this.toLend : this.capacity - this.total
    const taken = Math.max(0, Math.min(rps, room))
    if (borrowed) this.borrowedRps += taken
    else this.ownRps += taken
    return taken
  }

  forecast(): RegionForecast {
    const { region, ownRps, borrowedRps, capacity, lendable, total } = this
    return {
      region,
      ownRps,
      borrowedRps,
      capacityRps: orNull(capacity),
      utilisation: useOf(total, capacity),
      lendableRps: orNull(lendable),
      lendingUse: useOf(borrowedRps, lendable),
    }
  }

  /** By its pledge, and by what its own residents leave of what is not reserved for them. */
  private get lendable(): number {
    if (!this.serves) return 0
    const { limitRps, homeReserve } = this.lending
    const unreserved = this.capacity === Infinity ? Infinity : this.capacity * (1 - homeReserve) - this.ownRps
    return Math.max(0, Math.min(limitRps, this.lendableByPlaces, homeReserve === 1 ? 0 : unreserved))
  }

  /** Requests open at once as requests a second, by Little's law; no bound where no latency is known. */
  private get lendableByPlaces(): number {
    const { limitConcurrent } = this.lending
    if (limitConcurrent === Infinity) return Infinity
    const serving = this.capacities.filter(({ serves }) => serves)
    let weights = 0
    let answerMs = 0
    for (const { node, answerMs: ms } of serving) {
      if (ms === null) return limitConcurrent === 0 ? 0 : Infinity
      weights += node.weight
      answerMs += ms * node.weight
    }
    return answerMs === 0 ? Infinity : (limitConcurrent * 1000 * weights) / answerMs
  }
}

const orNull = (value: number): number | null => (value === Infinity ? null : value)

const useOf = (rps: number, of: number): number | null =>
  of === Infinity ? null : of === 0 ? (rps === 0 ? 0 : 1) : rps / of
