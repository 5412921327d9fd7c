// Far more load than the nodes can take, and what else tries a gateway that learns limits by itself.
import { type Capacity, smallNodes, usualServiceMs } from './capacity.ts'
import type { Extra } from './contenders/contender.ts'
import type { Mix } from './load/mix.ts'
import type { LoadPhase } from './load/open.ts'

export const saturationNames = ['ten-times', 'classes', 'large-nodes', 'edge', 'refresh-storm'] as const
export type SaturationName = (typeof saturationNames)[number]

export interface SaturationScenario {
  readonly name: SaturationName
  /** As tables show it. */
  readonly title: string
  readonly capacity: Capacity
  readonly serviceMs: number
  readonly mix: Mix
  readonly warmUp: LoadPhase
  /** What is measured. */
  readonly crowd: LoadPhase
  /** Load after the crowd, until the local nodes have their residents back. */
  readonly after: LoadPhase | null
  /** What Chiyuan is configured for on top of its defaults. */
  readonly extras: readonly Extra[]
  /** Chiyuan only: the others have nothing that the scenario could show. */
  readonly isOursOnly: boolean
  /** Nodes remember each request's time. */
  readonly keepsSpans: boolean
}

/** Time that service is drawn from, around its mean: 40 ms ± 25 %. */
export const jitterShare = 0.25

const quietRate = 80
const usual = {
  capacity: smallNodes,
  serviceMs: usualServiceMs,
  mix: 'crowd',
  after: null,
  extras: [],
  isOursOnly: false,
  keepsSpans: false,
} as const

/** @param quick Too short for figures to show. */
export function saturationScenarios(quick: boolean): readonly SaturationScenario[] {
  const phase = (ratePerSecond: number, seconds: number, quickSeconds: number): LoadPhase => ({
    ratePerSecond,
    lengthMs: (quick ? quickSeconds : seconds) * 1000,
  })
  return [
    {
      ...usual,
      name: 'ten-times',
      title: 'ten times the peak: 2,000 requests/s to nodes for 800',
      warmUp: phase(quietRate, 5, 1),
      crowd: phase(2000, 15, 5),
      // One run for both: what a crowd leaves behind is best seen after that very crowd.
      after: phase(quietRate, 11, 3),
    },
    {
      ...usual,
      name: 'classes',
      title: 'classes: the same, 30 % critical, 30 % important, 40 % deferrable',
      mix: 'classes',
      warmUp: phase(quietRate, 2, 1),
      crowd: phase(2000, 6, 2),
      extras: ['classes'],
    },
    {
      ...usual,
      name: 'large-nodes',
      title: 'large nodes, scale 1:2: 2,000 requests/s to nodes for 500 + 1,000 + 4,000',
      // Twice as much, as intended, is more than load and nodes manage on one core beside a contender on another.
      capacity: { local: [250, 250], neighbour: 1000, province: 4000 },
      warmUp: phase(quietRate, 2, 1),
      crowd: phase(2000, 5, 2),
    },
    {
      ...usual,
      name: 'edge',
      title: 'edge of the limit: 200 requests/s, just what the local nodes can take',
      warmUp: phase(quietRate, 1, 1),
      crowd: phase(200, 20, 4),
    },
    {
      ...usual,
      name: 'refresh-storm',
      title: 'refresh storm: one resident asks 50 times a second, answers take 400 ms',
      // More slots than requests: what is measured is how many are sent on, not how many are served.
      capacity: { local: [1000, 1000], neighbour: 1000, province: 1000 },
      serviceMs: 400,
      mix: 'one-resident',
      warmUp: phase(50, 0, 0),
      crowd: phase(50, 5, 2),
      extras: ['coalescing'],
      isOursOnly: true,
      keepsSpans: true,
    },
  ]
}
