// What a forecast says of tripping a region is what a real gateway then does, within 15 %.
import { expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { explanationSchema } from '../../gateway/admin/schemas/explanation.ts'
import { previewSchema } from '../../gateway/admin/schemas/forecast.ts'
import { preview } from '../../gateway/control/preview.ts'
import { regionsOf } from '../../gateway/control/regions.ts'
import { regionId } from '../../gateway/model/ids.ts'
import { explain, knownOf } from '../../gateway/policy/explanation.ts'
import { holdOn } from '../support/demo-federation.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { putHold } from '../support/holds.ts'
import { startLoad } from '../support/load.ts'
import { httpUpstream, type Upstream } from '../support/upstream.ts'

const answerMs = 60

/** Answers with its region's code after a while. */
const slowly = (code: string): Promise<Upstream> =>
  httpUpstream((_request, response) => void setTimeout(() => response.end(code), answerMs))

const xian = regionId('610100')
const pledgeRps = 30

it('tripping the home region under load', async () => {
  await using home = await slowly('610100')
  await using neighbour = await slowly('610400')
  await using province = await slowly('610000')
  const region = (code: string, { url }: Upstream, more: object) => ({
    code,
    name: { zh: code, en: code },
    nodes: [{ id: `node-${code}`, url, limit: 40 }],
    ...more,
  })
  await using edge = await startTestGateway([], {
    home: { default: '610100', pathPrefix: '/r/{home}' },
    regions: [
      region('610100', home, { neighbours: ['610400'] }),
      region('610400', neighbour, { lends: { limitRps: pledgeRps } }),
      region('610000', province, { tier: 'province' }),
    ],
  })
  await using loads = new AsyncDisposableStack()
  const rate = 80
  const load = startLoad(edge.url, { ratePerSecond: rate, path: (i) => `/v1/codes/R${i}` })
  const own = startLoad(edge.url, { ratePerSecond: 8, path: (i) => `/r/610400/v1/codes/R${i}` })
  const provincial = startLoad(edge.url, { ratePerSecond: 8, path: (i) => `/r/610000/v1/codes/R${i}` })
  for (const one of [load, own, provincial]) loads.defer(async () => void (await one.stop()))
  await load.until(({ status }) => status === 200, rate * 4)
  const readings = await edge.gateway.measured.read()
  const input = { regions: regionsOf(edge.config), holds: [], mode: null }
  const hold = { ...holdOn('610100'), expiresAt: Date.now() + 60_000 }
  const told = preview([{ hold }], { input, readings, ownMode: 'peacetime', warmShare: () => 0 })
  expect(previewSchema.parse(JSON.parse(JSON.stringify(told)))).toEqual(told)
  const { after, guards } = told
  const [forecast] = after.homes
  const foretold = (code: string): number => forecast?.byLevel.find(({ region }) => region === code)?.rps ?? 0
  expect(after.unknownCapacity).toEqual([])
  expect(foretold('610400')).toBeCloseTo(pledgeRps, 0)
  expect(guards.map(({ guard }) => guard)).toEqual(['donor-full'])

  await putHold(edge.gateway.registry, hold)
  await load.until(({ body }) => body !== '610100')
  await sleep(500)
  const since = load.samples.length
  await load.until(() => true, since + rate * 4)
  const samples = (await load.stop()).slice(since, since + rate * 4)
  await Promise.all([own.stop(), provincial.stop()])
  const met = (code: string): number => samples.filter(({ body }) => body === code).length / 4
  expect(met('610100')).toBe(0)
  for (const code of ['610400', '610000']) {
    expect(Math.abs(met(code) - foretold(code)) / foretold(code)).toBeLessThan(0.15)
  }
  // And why is told by the same conditions.
  await eventually(async () => {
    const { nodes } = await edge.gateway.measured.read()
    const at = edge.gateway.snapshot().homes.get(xian)
    if (at === undefined) throw new Error('610100 is a home')
    const why = explain(at, knownOf(nodes), { canRetry: true, key: null }, edge.config)
    expect(explanationSchema.parse(JSON.parse(JSON.stringify(why)))).toEqual(why)
    expect(why.levels.map(({ nodes: [node] }) => node?.verdict)).toEqual(['held', 'ok', 'ok'])
    expect(why.plan.map(({ node }) => node)).toEqual(['node-610400', 'node-610000'])
  })
})
