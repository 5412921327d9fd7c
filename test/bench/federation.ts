// The federation that every contender is given: two nodes at home, one neighbour, one province.

/** Ports on 127.0.0.1. */
export interface Upstreams {
  readonly local: readonly [number, number]
  readonly neighbour: number
  readonly province: number
}

export const nodeNames = ['xian-1', 'xian-2', 'xianyang-1', 'shaanxi-1'] as const
export type NodeName = (typeof nodeNames)[number]

export type Place = 'local' | 'neighbour' | 'province'

export const placeOf = (node: string): Place =>
  node.startsWith('xian-') ? 'local' : node.startsWith('xianyang-') ? 'neighbour' : 'province'

export const portsOf = ({ local, neighbour, province }: Upstreams): readonly number[] => [
  ...local,
  neighbour,
  province,
]

/**
 * Deadlines that every contender but Chiyuan is given, as far as it has such a setting. Chiyuan keeps its defaults, of
 * which those of a try and of all tries are longer.
 * Where a contender lacks one, its file says so.
 */
export const deadlines = {
  connectMs: 1000,
  /** One try, until the answer begins. */
  attemptMs: 2000,
  /** All tries of a request. */
  totalMs: 6000,
  probeEveryMs: 2000,
  probeTimeoutMs: 1000,
  /** How long a node that failed is left alone before it is tried with a real request. */
  ejectedMs: 6000,
} as const
