// Ours beside Gradient2 and AIMD on simulated nodes, in virtual time: node test/bench/limiters/main.ts
import { configSchema } from '../../../config/schema.ts'
import { AdaptiveLimit } from '../../../gateway/policy/concurrency.ts'
import { evenly, exponentially, type Limit, type Node, simulate } from '../../support/simulated-node.ts'
import { Aimd, Gradient2 } from './rivals.ts'

const settings = configSchema.shape.concurrency.parse({})
const limits: [string, () => Limit][] = [
  ['ours', () => new AdaptiveLimit(settings)],
  ['Gradient2', () => new Gradient2()],
  ['AIMD, 200 ms', () => new Aimd(200)],
  ['AIMD, 1 s', () => new Aimd(1000)],
]
const nodes: [string, number, Node][] = [
  ['4 slots of 40 ms', 100, { slots: 4, serviceMs: evenly(40) }],
  ['one slot of 10 ms', 100, { slots: 1, serviceMs: evenly(10) }],
  ['16 slots of 40 ms, exponential', 400, { slots: 16, serviceMs: exponentially(40) }],
  ['160 slots of 40 ms', 4000, { slots: 160, serviceMs: evenly(40) }],
]

const lines = [
  '| node, crowd of 8 times | limit | used, 5 s on | p99, 5 s on | used, 1 min on | p99, 1 min on |',
]
lines.push('| :--- | :--- | ---: | ---: | ---: | ---: |')
for (const [node, capacity, made] of nodes) {
  for (const [name, make] of limits) {
    const crowd = (now: number): number => (now < 5000 ? capacity / 3 : capacity * 8)
    const seconds = simulate(make(), made, crowd, 70)
    const tell = (from: number, to: number): string => {
      const part = seconds.slice(from, to)
      const used = part.reduce((sum, { done }) => sum + done, 0) / part.length / capacity
      const p99 = Math.max(...part.map(({ p99Ms }) => p99Ms))
      return `${Math.round(used * 100)} % | ${Math.round(p99)} ms`
    }
    lines.push(`| ${node} | ${name} | ${tell(7, 12)} | ${tell(60, 70)} |`)
  }
}
console.log(lines.join('\n'))
