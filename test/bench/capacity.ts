// What the nodes can do in the saturation scenarios, and what becomes of it: slots of service.
import { nodeNames, type NodeName } from './federation.ts'

/** Requests a second that each node can answer. */
export interface Capacity {
  readonly local: readonly [number, number]
  readonly neighbour: number
  readonly province: number
}

/** The federation of most scenarios: 800 requests a second, a quarter of them at home. */
export const smallNodes: Capacity = { local: [100, 100], neighbour: 200, province: 400 }

/** Mean time that a request occupies a slot, ms. */
export const usualServiceMs = 40

/** Requests that a node works on at once; the others wait in its queue. */
export const slotsOf = (perSecond: number, serviceMs = usualServiceMs): number =>
  Math.max(1, Math.round((perSecond * serviceMs) / 1000))

export const capacityOf = (name: NodeName, { local, neighbour, province }: Capacity): number =>
  ({ 'xian-1': local[0], 'xian-2': local[1], 'xianyang-1': neighbour, 'shaanxi-1': province })[name]

export const totalOf = (capacity: Capacity): number =>
  nodeNames.reduce((sum, name) => sum + capacityOf(name, capacity), 0)
