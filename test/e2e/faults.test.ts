// The founding promise, on real processes under steady load: whatever happens to the local nodes, no resident notices.
import { expect, it } from '@jest/globals'
import { type Federation, startFederation } from '../support/federation.ts'
import { failed, type Load, type Sample, startLoad } from '../support/load.ts'

const ratePerSecond = 150
const fromHelp = ({ body }: Sample): boolean => body === 'xianyang-1' || body === 'shaanxi-1'
const fromHome = ({ body }: Sample): boolean => body.startsWith('xian-')

/** Load, first as usual, then with `fault`, until `then` is satisfied. */
async function under(
  federation: Federation,
  fault: () => Promise<void> | void,
  then: (load: Load) => Promise<void>,
): Promise<{ samples: readonly Sample[]; faultAt: number }> {
  const load = startLoad(federation.url, { ratePerSecond })
  await load.until(fromHome, 200)
  const faultAt = Math.max(...load.samples.map(({ at }) => at))
  await fault()
  await then(load)
  return { samples: await load.stop(), faultAt }
}

const helped = (load: Load): Promise<void> => load.until(fromHelp, 300)

it('kill -9 of every local node: no safe request fails', async () => {
  await using federation = await startFederation()
  const { samples } = await under(
    federation,
    async () => {
      await Promise.all(federation.local.map((node) => node.kill()))
    },
    helped,
  )
  expect(failed(samples)).toEqual([])
}, 30_000)

it('local nodes frozen: no safe request fails, and none is held up by more than 300 ms', async () => {
  await using federation = await startFederation()
  const { samples, faultAt } = await under(
    federation,
    () => federation.local.forEach((node) => node.freeze()),
    helped,
  )
  expect(failed(samples)).toEqual([])
  const during = samples.filter(({ at }) => at >= faultAt - 100)
  expect(Math.max(...during.map(({ latencyMs }) => latencyMs))).toBeLessThan(300)
}, 30_000)

it('half of the local answers are 500: no safe request fails', async () => {
  await using federation = await startFederation()
  const { samples } = await under(
    federation,
    () => federation.local.forEach((node) => node.behave({ errorShare: 0.5 })),
    helped,
  )
  expect(failed(samples)).toEqual([])
}, 30_000)

it('half of the local connections are reset: no safe request fails', async () => {
  await using federation = await startFederation()
  const { samples } = await under(
    federation,
    () => federation.local.forEach((node) => node.behave({ resetShare: 0.5 })),
    helped,
  )
  expect(failed(samples)).toEqual([])
}, 30_000)

it('a brownout (local answers take 400 ms): no safe request fails, and most are spared it', async () => {
  await using federation = await startFederation()
  const { samples, faultAt } = await under(
    federation,
    () => federation.local.forEach((node) => node.behave({ serviceMs: 400 })),
    (load) => load.until(fromHelp, 600),
  )
  expect(failed(samples)).toEqual([])
  const later = samples.filter(({ at }) => at > faultAt + 1500)
  expect(later.filter(({ latencyMs }) => latencyMs < 200).length).toBeGreaterThan(later.length * 0.85)
}, 30_000)

it('only the province is left: no safe request fails', async () => {
  await using federation = await startFederation()
  const { samples } = await under(
    federation,
    async () => {
      await Promise.all([...federation.local, federation.neighbour].map((node) => node.kill()))
    },
    (load) => load.until(({ body }) => body === 'shaanxi-1', 300),
  )
  expect(failed(samples)).toEqual([])
}, 30_000)

it('recovery is ramped: residents come home over the slow start, none fails', async () => {
  const slowStartMs = 3000
  await using federation = await startFederation({
    breaker: { slowStartMs, windowMs: 2000, resetTimeoutMs: 2100 },
  })
  let restartedAt = Infinity
  const { samples } = await under(
    federation,
    async () => {
      await Promise.all(federation.local.map((node) => node.kill()))
    },
    async (load) => {
      await helped(load)
      await Promise.all(federation.local.map((node) => node.restart()))
      restartedAt = Math.max(...load.samples.map(({ at }) => at))
      await load.until((sample) => sample.at > restartedAt && fromHome(sample), 600)
    },
  )
  expect(failed(samples)).toEqual([])
  const backAt = Math.min(
    ...samples.filter((sample) => sample.at > restartedAt && fromHome(sample)).map(({ at }) => at),
  )
  // In the middle of the ramp both are at work: neither all at once nor nobody.
  const ramp = samples.filter(({ at }) => at > backAt && at < backAt + slowStartMs * 0.5)
  expect(ramp.filter(fromHelp).length).toBeGreaterThan(ramp.length * 0.3)
  const after = samples.slice(-100)
  expect(after.filter(fromHome).length).toBeGreaterThan(95)
}, 40_000)
