// The loop that shares donors' quotas: over a registry that fails, with a clock that a test turns.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QuotaFederation } from '../../gateway/control/quota-shares/federation.ts'
import { ledgerKey } from '../../gateway/control/quota-shares/ledger-record.ts'
import { memberName } from '../../gateway/control/quota-shares/member-name.ts'
import { Slept } from '../../gateway/control/quota-shares/slept.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { type Registry, RegistryUnavailable } from '../../gateway/control/registry/port.ts'
import { FakeClock } from '../support/fake-clock.ts'

const name = '610400 rps'
const terms = { leaseMs: 300_000, forgetMs: 86_400_000, roundMs: 2000 }

describe('gateways that share donors’ quotas', () => {
  let clock: FakeClock
  let registry: Registry
  let said: string[]
  /** How far the wall clock went while the machine stood still, ms. */
  let asleepMs: number
  beforeEach(() => {
    clock = new FakeClock()
    registry = openEmbeddedRegistry(':memory:')
    said = []
    asleepMs = 0
  })
  afterEach(async () => registry[Symbol.asyncDispose]())

  /** A gateway whose registry can be taken away, with residents that want so much. */
  function gateway(id: string, demand: number) {
    let isLost = false
    const reach = <T>(answer: () => Promise<T>): Promise<T> =>
      isLost ? Promise.reject(new RegistryUnavailable('Consul can’t be reached')) : answer()
    const federation = new QuotaFederation({
      registry: {
        read: (key) => reach(() => registry.read(key)),
        commit: (changes) => reach(() => registry.commit(changes)),
      },
      clock,
      now: () => clock.now(),
      wallNow: () => 1_700_000_000_000 + clock.now() + asleepMs,
      random: () => 0.5,
      terms,
      id,
      freshName: randomUUID,
      say: (_, text) => said.push(text),
    })
    federation.usePledges({ [name]: { amount: 100, whole: false } })
    const report = (): void => {
      federation.report({ [name]: demand }, { [name]: federation.share(name) ?? 0 })
      clock.after(1000, report)
    }
    report()
    federation.start()
    return {
      federation,
      want: (rps: number): void => {
        demand = rps
      },
      lose: (): void => {
        isLost = true
      },
      find: (): void => {
        isLost = false
      },
    }
  }

  const writes = async (): Promise<number> => (await registry.read(ledgerKey))?.version ?? 0

  it('one alone has all of it, and writes thrice a lease', async () => {
    const { federation } = gateway('one', 30)
    await clock.advance(2000)
    expect(federation.share(name)).toBe(100)
    await clock.advance(terms.leaseMs)
    expect(await writes()).toBeLessThanOrEqual(4)
    expect(federation.share('610000 rps')).toBeUndefined()
    await federation[Symbol.asyncDispose]()
  })

  it('several write once in a few seconds while nothing changes', async () => {
    const gateways = ['one', 'two', 'three'].map((id) => gateway(id, 20))
    await clock.advance(20_000)
    const before = await writes()
    await clock.advance(60_000)
    expect((await writes()) - before).toBeLessThanOrEqual(3 * 10)
    for (const { federation } of gateways) expect(federation.readings().gateways).toBe(3)
    for (const { federation } of gateways) await federation[Symbol.asyncDispose]()
    expect((await registry.read(ledgerKey))?.value).toMatchObject({ members: {} })
  })

  it('says how long a cut off one keeps its share, what it keeps then, and that it is back', async () => {
    const one = gateway('one', 300)
    const two = gateway('two', 0)
    await clock.advance(20_000)
    const share = one.federation.share(name) ?? 0
    expect(share).toBeGreaterThan(85)
    one.lose()
    two.want(300)
    await clock.advance(10_000)
    expect(one.federation.share(name)).toBe(share)
    expect(one.federation.readings()).toMatchObject({ state: 'last-share', gateways: 2 })
    expect(one.federation.warnings).toEqual([
      expect.stringMatching(
        /^donors' quotas: cut off from the other gateways since 2023-11-14T22:13:4.*; it keeps its last shares for another 28\d s \(Consul can’t be reached\)$/,
      ),
    ])
    await clock.advance(terms.leaseMs)
    expect(one.federation.readings().state).toBe('reserved')
    expect(one.federation.share(name)).toBe(12.5)
    expect(one.federation.warnings[0]).toMatch(/the minimum that is reserved for it/)
    await clock.advance(30_000)
    expect(two.federation.share(name)).toBe(87.5)
    one.find()
    await clock.advance(30_000)
    expect(one.federation.readings().state).toBe('shared')
    expect(one.federation.warnings).toEqual([])
    expect(Math.min(one.federation.share(name) ?? 0, two.federation.share(name) ?? 0)).toBeGreaterThan(40)
    expect(said).toEqual([
      expect.stringMatching(/cut off/),
      "donors' quotas: shared with the other gateways again",
    ])
    for (const { federation } of [one, two]) await federation[Symbol.asyncDispose]()
  })

  it('one that was suspended for longer than its lease goes on with its minimum until it has asked', async () => {
    const one = gateway('one', 300)
    const two = gateway('two', 0)
    await clock.advance(20_000)
    expect(one.federation.share(name)).toBeGreaterThan(85)
    asleepMs = terms.leaseMs
    one.federation.report({}, {})
    expect(one.federation.share(name)).toBe(12.5)
    await clock.advance(10_000)
    expect(one.federation.share(name)).toBeGreaterThan(85)
    for (const { federation } of [one, two]) await federation[Symbol.asyncDispose]()
  })

  it('one that starts where nobody answers has no share, and says so', async () => {
    const one = gateway('one', 300)
    one.lose()
    await clock.advance(3000)
    expect(one.federation.share(name)).toBe(0)
    expect(one.federation.warnings[0]).toMatch(/it has no share and lends nothing of bounded pledges/)
    one.find()
    await clock.advance(3000)
    expect(one.federation.share(name)).toBe(100)
    await one.federation[Symbol.asyncDispose]()
  })

  it('ask nobody where no donor sets a bound, and leave the ledger when none does any longer', async () => {
    const one = gateway('one', 0)
    one.federation.usePledges({})
    await clock.advance(10_000)
    expect([await writes(), one.federation.warnings]).toEqual([0, []])
    one.federation.usePledges({ [name]: { amount: 100, whole: false } })
    await clock.advance(5000)
    expect(one.federation.share(name)).toBe(100)
    one.federation.usePledges({})
    await clock.advance(5000)
    expect((await registry.read(ledgerKey))?.value).toMatchObject({ members: {} })
    await one.federation[Symbol.asyncDispose]()
  })

  it('two of one name end as two members', async () => {
    const one = gateway('same', 300)
    await clock.advance(3000)
    const two = gateway('same', 300)
    await clock.advance(30_000)
    expect(two.federation.readings().gateways).toBe(2)
    expect((one.federation.share(name) ?? 0) + (two.federation.share(name) ?? 0)).toBeLessThanOrEqual(100)
    expect(said).toEqual([expect.stringMatching(/a copy of this one's dataDir/)])
    for (const { federation } of [one, two]) await federation[Symbol.asyncDispose]()
  })
})

it('a machine that stood still is noticed by its wall clock, small corrections are not', () => {
  const slept = new Slept(0, 1_000_000)
  expect(slept.since(1000, 1_001_000)).toBe(0)
  expect(slept.since(2000, 1_002_400)).toBe(0)
  expect(slept.since(3000, 1_063_400)).toBe(60_000)
  expect(slept.since(4000, 1_064_400)).toBe(0)
  expect(slept.since(5000, 1_000_000)).toBe(0)
})

it('a gateway has its name again when it is started again, and nobody else has it meanwhile', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chiyuan-member-'))
  const first = await memberName(folder)
  const beside = await memberName(folder)
  expect(beside.id).not.toBe(first.id)
  first[Symbol.dispose]()
  const again = await memberName(folder)
  expect(again.id).toBe(first.id)
  again[Symbol.dispose]()
  await rm(folder, { recursive: true })
})
