// 1,000 regions and 3,000 nodes: operators see it and change it at once, and a request costs what it costs in a small one.
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { performance } from 'node:perf_hooks'
import { snapshotOf } from '../../gateway/control/directory.ts'
import { noIntent } from '../../gateway/control/intent/read.ts'
import { regionId } from '../../gateway/model/ids.ts'
import type { Region } from '../../gateway/model/region.ts'
import { nextNode } from '../../gateway/policy/selection.ts'
import { type Api, openApi } from '../support/operators.ts'
import { nodeReads, reads } from '../support/readings.ts'
import { aNode, aRegion } from '../support/values.ts'

const code = (i: number): string => `${110_000 + i}`
const regions: readonly Region[] = Array.from({ length: 1000 }, (_, i) =>
  aRegion(code(i), {
    nodes: [1, 2, 3].map((n) => aNode(`r${i}-${n}`, { region: regionId(code(i)) })),
    neighbours: [regionId(code((i + 1) % 1000)), regionId(code((i + 2) % 1000))],
  }),
)
const nodes = regions.flatMap((region) => region.nodes.map(({ id }) => nodeReads(id, region.code)))

let api: Api
beforeAll(async () => {
  api = await openApi(regions, undefined, reads(nodes))
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

/** The quickest of some, ms: what it takes where the machine does nothing else. */
async function quickest(times: number, run: () => Promise<unknown>): Promise<number> {
  let best = Infinity
  for (let i = 0; i < times; i++) {
    const from = performance.now()
    await run()
    best = Math.min(best, performance.now() - from)
  }
  return best
}

it('shows its status within 100 ms', async () => {
  expect(await quickest(5, () => api.get('/status').expect(200))).toBeLessThan(100)
})

it('applies a change within 100 ms, guards and audit included', async () => {
  let applied = Infinity
  for (let i = 0; i < 5; i++) {
    const from = performance.now()
    const trip = { kind: 'trip', node: `r${i}-1`, reason: 'a test', seconds: 60, override: true }
    await api.post('/holds', trip).expect(201)
    await api.directory.read()
    applied = Math.min(applied, performance.now() - from)
    expect(api.directory.current.holds.size).toBe(i + 1)
  }
  expect(applied).toBeLessThan(100)
})

it('a choice costs what it costs among three regions', () => {
  const large = snapshotOf(1, regions, noIntent)
  const small = snapshotOf(1, regions.slice(0, 3), noIntent)
  const settings = { rule: 'sticky', boundedLoad: 1.25, boundedLoadFloor: 16, triesPerLevel: 2 } as const
  const fleet = { judge: () => 'ok' as const, inFlight: () => 1, cost: () => 1 }
  const cpuOf = (snapshot: typeof large): number => {
    const home = snapshot.homes.get(code(0))
    if (home === undefined) throw new Error('no such home')
    const from = process.cpuUsage()
    for (let key = 0; key < 100_000; key++)
      nextNode(home, fleet, { key, canRetry: true, tried: [] }, settings)
    const { user, system } = process.cpuUsage(from)
    return user + system
  }
  cpuOf(small)
  cpuOf(large)
  const ratios = Array.from({ length: 5 }, () => cpuOf(large) / cpuOf(small))
  expect(Math.min(...ratios)).toBeLessThan(1.3)
})
