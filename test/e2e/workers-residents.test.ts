// Residents whose connections went to both of two workers, as /metrics tells them: each is one resident.
import { get } from 'node:http'
import { text } from 'node:stream/consumers'
import { once } from 'node:events'
import { expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { httpUpstream, named } from '../support/upstream.ts'
import { startWorkerGateway, type WorkerGateway } from '../support/worker-gateway.ts'

const windowMs = 60_000

/** Makes every process of a gateway believe that a window of residents ends in `ms`. */
function windowEndsIn(ms: number): NodeJS.ProcessEnv {
  const shift = windowMs - ms - ((performance.timeOrigin + performance.now()) % windowMs)
  const module = `Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + ${shift} })`
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(module)}` }
}

/** One request of each resident, while the other worker is frozen. */
async function visit(gateway: WorkerGateway, place: 1 | 2, residents: readonly string[]): Promise<void> {
  const { port } = gateway
  const other = gateway.pidOf(place === 1 ? 2 : 1)
  process.kill(other, 'SIGSTOP')
  try {
    for (const resident of residents) {
      const options = { port, host: '127.0.0.1', path: `/v1/codes/${resident}`, agent: false }
      const [answer] = await once(get(options), 'response')
      expect(await text(answer)).toBe('node')
    }
  } finally {
    process.kill(other, 'SIGCONT')
  }
}

const valueOf = (metrics: string, name: string): number =>
  Number(new RegExp(`^${name}\\{home="610100"\\} (\\S+)$`, 'm').exec(metrics)?.[1])

it('residents who came to both workers are counted once, also after one of these has ended', async () => {
  await using node = await httpUpstream(named('node'))
  const regions = [{ code: '610100', nodes: { 'xian-1': node.url } }]
  await using gateway = await startWorkerGateway(regions, {}, 2, windowEndsIn(8000))
  const residents = Array.from({ length: 30 }, (_, i) => `R${i}`)
  await visit(gateway, 1, residents)
  await visit(gateway, 2, [...residents, ...residents, 'R30', 'R31'])
  expect(valueOf(await gateway.metrics(), 'chiyuan_residents_active')).toBe(0)
  await eventually(async () => {
    const metrics = await gateway.metrics()
    // An estimate: of so few hardly ever more than one is missed.
    const active = valueOf(metrics, 'chiyuan_residents_active')
    expect(Math.abs(active - 32)).toBeLessThanOrEqual(3)
    expect(valueOf(metrics, 'chiyuan_requests_per_resident')).toBeCloseTo(92 / active, 5)
  }, 10_000)
  const before = valueOf(await gateway.metrics(), 'chiyuan_residents_active')
  const victim = gateway.pidOf(1)
  process.kill(victim, 'SIGKILL')
  await gateway.logged(({ event, place, pid }) => event === 'worker-ready' && place === 1 && pid !== victim)
  expect(valueOf(await gateway.metrics(), 'chiyuan_residents_active')).toBe(before)
}, 40_000)
