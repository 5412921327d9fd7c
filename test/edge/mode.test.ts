// 平战转换: a mode is put in force by a reload, without a dropped request, and is told; donors are kept warm.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { pino } from 'pino'
import { startGateway } from '../../gateway/compose.ts'
import { region } from '../support/crowd.ts'
import { testConfig } from '../support/gateway.ts'
import { failed, startLoad } from '../support/load.ts'
import { httpUpstream, named } from '../support/upstream.ts'

/** A gateway whose log and metrics are read. */
async function started(regions: readonly unknown[], changes: Record<string, unknown> = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'chiyuan-test-'))
  const config = (more: Record<string, unknown> = {}) =>
    testConfig([{ code: '610100', nodes: {} }], dataDir, { regions, ...changes, ...more })
  const log: string[] = []
  const gateway = await startGateway(
    config(),
    pino({ level: 'info' }, { write: (line: string) => void log.push(line) }),
  )
  return {
    gateway,
    config,
    log,
    url: `http://127.0.0.1:${gateway.publicPort}`,
    metrics: async () =>
      (
        await fetch(`http://127.0.0.1:${gateway.adminPort}/metrics`, { headers: { connection: 'close' } })
      ).text(),
    async [Symbol.asyncDispose]() {
      await gateway.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

const cities = (local: string, neighbour: string) => [
  region('610100', { 'xian-1': local }, { neighbours: ['610400'] }),
  region('610400', { 'xianyang-1': neighbour }),
]

it('emergency by reload takes effect under load, drops nothing, and is told; so is the way back', async () => {
  await using local = await httpUpstream(named('local'))
  await using neighbour = await httpUpstream(named('neighbour'))
  await using running = await started(cities(local.url, neighbour.url), {
    profiles: { emergency: { standby: { warmShare: 0.2 } } },
    // Room for all that a slow machine lets pile up: nothing is to spill here.
    concurrency: { initial: 1000 },
  })
  const { gateway, config, log, metrics } = running
  expect(await metrics()).toContain('chiyuan_mode{mode="peacetime"} 1')
  const load = startLoad(running.url, { ratePerSecond: 250 })
  await load.until(({ status }) => status === 200, 100)
  expect(neighbour.requests).toBe(0)
  expect(gateway.reload(config({ mode: 'emergency' }))).toEqual([])
  expect(await metrics()).toContain('chiyuan_mode{mode="emergency"} 1')
  // Kept warm from now on: about a fifth of what comes.
  const [localBefore] = [local.requests]
  await load.until(({ body }) => body === 'neighbour', 60)
  const share = neighbour.requests / (neighbour.requests + local.requests - localBefore)
  expect(share).toBeGreaterThan(0.1)
  expect(share).toBeLessThan(0.35)
  gateway.reload(config({ mode: 'peacetime' }))
  const back = neighbour.requests
  await load.until(({ body }) => body === 'local', load.samples.length + 50)
  expect(failed(await load.stop())).toEqual([])
  // What was on its way may still have gone there.
  expect(neighbour.requests - back).toBeLessThan(5)
  expect(await metrics()).toContain('chiyuan_mode{mode="peacetime"} 1')
  const told = log
    .map((line): unknown => JSON.parse(line))
    .filter((event) => JSON.stringify(event).includes('"mode"'))
  expect(told).toMatchObject([
    { event: 'mode', mode: 'emergency', before: 'peacetime' },
    { event: 'mode', mode: 'peacetime', before: 'emergency' },
  ])
})

it('no resident is sent to a donor for its warmth while the donor is down', async () => {
  await using local = await httpUpstream(named('local'))
  let asked = 0
  await using neighbour = await httpUpstream(
    (request, response) => {
      if (request.url !== '/healthz') asked += 1
      response.writeHead(500).end('broken')
    },
    { seesProbes: true },
  )
  await using running = await started(cities(local.url, neighbour.url), { standby: { warmShare: 0.2 } })
  while (!(await running.metrics()).includes('chiyuan_node_up{node="xianyang-1",region="610400"} 0'));
  asked = 0
  for (let i = 0; i < 100; i++) {
    expect(await (await fetch(`${running.url}/v1/codes/R${i}`)).text()).toBe('local')
  }
  expect(asked).toBe(0)
})
