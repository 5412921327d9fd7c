// The audit log: whatever is done to a record shows, two gateways write one chain, a killed one tears nothing, and
// strangers can't fill it.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { allAuditValues, auditKey, auditHeadKey, verifyAudit } from '../../gateway/control/audit/audit-log.ts'
import {
  type AuditHead,
  ChainCheck,
  type ChainFault,
  emptyChain,
  hashOf,
  sealed,
} from '../../gateway/control/audit/chain.ts'
import { Strangers } from '../../gateway/control/audit/strangers.ts'
import { Changes } from '../../gateway/control/changes.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import type { AuditEntry, AuditRecord } from '../../gateway/model/audit.ts'

jest.setTimeout(60_000)

const entry = (i: number, changes: Partial<AuditEntry> = {}): AuditEntry => ({
  actor: { id: 'k3v9x2mq', name: '王 值班' },
  from: '10.0.0.7',
  action: 'hold.create',
  target: `holds/${i}`,
  reason: `reason ${i}`,
  before: null,
  after: { kind: 'drain', nodes: ['xian-1', { i }], share: i / 10 },
  outcome: i % 3 === 0 ? 'refused' : 'done',
  detail: null,
  ...changes,
})

function chainOf(count: number, changes: Partial<AuditEntry> = {}): AuditRecord[] {
  const records: AuditRecord[] = []
  let head: AuditHead = emptyChain
  for (let i = 1; i <= count; i++) {
    const record = sealed(entry(i, changes), head, 1_641_254_400_000 + i)
    records.push(record)
    head = record
  }
  return records
}

const headOf = (records: readonly AuditRecord[]): AuditHead => {
  const { seq, hash } = records.at(-1) ?? emptyChain
  return { seq, hash }
}

function check(
  values: readonly unknown[],
  written: AuditHead | null,
  anchor: AuditHead | null = null,
): ChainFault | null {
  const chain = new ChainCheck(anchor)
  for (const value of values) if (!chain.take(value)) break
  return chain.end(written)
}

describe('a chain', () => {
  const records = chainOf(6)
  const head = headOf(records)
  const [one, two, three, four, five, six] = records

  it('is whole as it was written, also without the record that names its end', () => {
    expect(check(records, head)).toBeNull()
    expect(check(records, null)).toBeNull()
    expect(check([], null)).toBeNull()
  })

  it.each([
    ['an edited record', [one, { ...records[1], reason: 'another' }, three, four, five, six], 2, 'edited'],
    ['an outcome made good', [one, two, { ...records[2], outcome: 'done' }, four, five, six], 3, 'edited'],
    ['a removed record', [one, two, four, five, six], 3, 'missing'],
    ['a removed first record', [two, three, four, five, six], 1, 'missing'],
    ['two that changed places', [one, three, two, four, five, six], 2, 'missing'],
    ['a record twice', [one, two, two, three, four, five, six], 3, 'moved'],
    ['an end that is gone', [one, two, three, four], 4, 'cut-short'],
    ['a log that is gone', [], 0, 'cut-short'],
    ['a record that is none', [one, two, 'gone', four, five, six], 3, 'unreadable'],
    ['a field more', [one, { ...records[1], note: 'x' }, three, four, five, six], 2, 'unreadable'],
  ])('shows %s', (_, values, place, problem) => {
    expect(check(values, head)).toMatchObject({ place, problem })
  })

  it('shows a record that was edited and sealed anew, by the one after it or by the end', () => {
    for (let i = 0; i < records.length; i++) {
      const edited = records.map((record, at) => {
        if (at !== i) return record
        const changed = { ...record, reason: 'another' }
        return { ...changed, hash: hashOf(changed) }
      })
      expect(check(edited, head)).toMatchObject({ problem: 'edited' })
    }
  })

  it('that was written anew from end to end shows by a record that is kept elsewhere, and only by that', () => {
    const forged = chainOf(6, { actor: { id: 'other', name: 'somebody else' } })
    expect(check(forged, headOf(forged))).toBeNull()
    for (const anchor of records) expect(check(forged, headOf(forged), anchor)).not.toBeNull()
    const shorter = chainOf(3)
    expect(check(shorter, headOf(shorter), head)).toMatchObject({ problem: 'cut-short' })
    expect(check([...records, sealed(entry(7), head, 1_641_254_500_000)], null, head)).toBeNull()
  })

  it('shows any one mutation of any record', () => {
    const at = fc.integer({ min: 0, max: records.length - 1 })
    const mutation = fc.oneof(
      {
        weight: 6,
        arbitrary: fc
          .tuple(at, fc.nat(), fc.jsonValue())
          .map(([i, path, value]) => edit(records, i, path, value)),
      },
      { weight: 1, arbitrary: at.map((i) => records.toSpliced(i, 1)) },
      {
        weight: 1,
        arbitrary: fc.tuple(at, at).map(([i, j]) => records.toSpliced(j, 0, ...records.slice(i, i + 1))),
      },
      { weight: 1, arbitrary: fc.tuple(at, at).map(([i, j]) => swap(records, i, j)) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(at, fc.jsonValue())
          .map(([i, value]) => records.toSpliced(i, 1, ...[value].flatMap(asRecord))),
      },
    )
    fc.assert(
      fc.property(mutation, (values) => {
        fc.pre(JSON.stringify(values) !== JSON.stringify(records))
        return check(values, head) !== null
      }),
      { numRuns: 5000, seed: 610_100 },
    )
  })
})

const asRecord = (value: unknown): AuditRecord[] => [Object(value)]

const swap = (records: readonly AuditRecord[], i: number, j: number): AuditRecord[] => {
  const [a, b] = [records[i], records[j]]
  return a === undefined || b === undefined ? [] : records.with(i, b).with(j, a)
}

/** Sets one of all places of a record, however deep, to another value. */
function edit(records: readonly AuditRecord[], i: number, which: number, value: unknown): AuditRecord[] {
  const copy: AuditRecord = structuredClone(records[i] ?? sealed(entry(0), emptyChain, 0))
  const places: [object, string][] = []
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const key of Object.keys(node)) {
      places.push([node, key])
      walk(Reflect.get(node, key))
    }
  }
  walk(copy)
  const [node, key] = places[which % places.length] ?? [{}, '']
  Reflect.set(node, key, value)
  return records.with(i, copy)
}

describe('in a registry', () => {
  let folder: string
  const inFolder = async (work: (file: string) => Promise<void>): Promise<void> => {
    folder = await mkdtemp(join(tmpdir(), 'chiyuan-audit-'))
    try {
      await work(join(folder, 'chiyuan.db'))
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }

  it('two gateways that write at once write one chain, and lose nothing', () =>
    inFolder(async (file) => {
      await using one = openEmbeddedRegistry(file)
      await using two = openEmbeddedRegistry(file)
      const writers = [one, two].map((registry) => new Changes(registry, Date.now))
      const results = await Promise.all(
        writers.flatMap((changes, w) =>
          Array.from({ length: 100 }, (_, i) =>
            changes.commit(entry(i), [{ key: `intent/holds/${w}-${i}`, value: { i }, expectedVersion: 0 }]),
          ),
        ),
      )
      expect(results.every(({ ok }) => ok)).toBe(true)
      expect(await verifyAudit(one)).toMatchObject({ head: { seq: 200 }, fault: null })
      expect(await two.list('intent/holds/')).toHaveLength(200)
    }))

  it('a gateway that is killed in the middle of 1,000 changes loses no acknowledged one and tears none', () =>
    inFolder(async (file) => {
      let done = 0
      for (const killAt of [137, 400, 401, 750, Infinity]) {
        const acknowledged = await changesUntil(file, done + 1, killAt)
        await using registry = openEmbeddedRegistry(file)
        const kept = (await registry.list('intent/holds/')).map(({ key }) => Number(key.split('/').at(-1)))
        const told: number[] = []
        for await (const value of allAuditValues(registry)) told.push(Object(value).after.i)
        const { head, fault } = await verifyAudit(registry)
        expect(fault).toBeNull()
        // One may have been written and not acknowledged; its record is there with it.
        expect(kept.length).toBeGreaterThanOrEqual(acknowledged)
        expect(kept.length).toBeLessThanOrEqual(acknowledged + 1)
        expect(kept.toSorted((a, b) => a - b)).toEqual(told)
        expect(told).toEqual(Array.from({ length: kept.length }, (_, i) => i + 1))
        expect(head.seq).toBe(kept.length)
        done = kept.length
      }
      expect(done).toBe(1000)
    }))

  it('a long one is verified between other work, not in its place', () =>
    inFolder(async (file) => {
      await using registry = openEmbeddedRegistry(file)
      const changes = new Changes(registry, Date.now)
      for (let i = 0; i < 500; i++) await changes.note(entry(i))
      let turns = 0
      let done = false
      const other = (): void => {
        turns += 1
        if (!done) setImmediate(other)
      }
      setImmediate(other)
      expect(await verifyAudit(registry)).toMatchObject({ head: { seq: 500 }, fault: null })
      done = true
      expect(turns).toBeGreaterThanOrEqual(9)
    }))

  it('what somebody did with the file shows, whichever record they chose', () =>
    inFolder(async (file) => {
      await using registry = openEmbeddedRegistry(file)
      const changes = new Changes(registry, Date.now)
      for (let i = 0; i < 5; i++) await changes.note(entry(i))
      const { head } = await verifyAudit(registry)
      const third = await registry.read(auditKey(3))
      await registry.commit([
        { key: auditKey(3), value: { ...Object(third?.value), reason: 'x' }, expectedVersion: 1 },
      ])
      expect((await verifyAudit(registry)).fault).toMatchObject({ problem: 'edited', place: 3 })
      await registry.commit([{ key: auditKey(3), value: third?.value, expectedVersion: 2 }])
      expect((await verifyAudit(registry, head)).fault).toBeNull()
      await registry.commit([
        { key: auditKey(5), value: null, expectedVersion: 1 },
        { key: auditHeadKey, value: null, expectedVersion: 5 },
      ])
      // Whoever removes the end and the record that names it is seen by who kept the end elsewhere.
      expect((await verifyAudit(registry, head)).fault).toMatchObject({ problem: 'cut-short' })
    }))
})

/** Makes changes in a process of its own from `first` on, and kills it once `killAt` was acknowledged. @returns The last acknowledged. */
async function changesUntil(file: string, first: number, killAt: number): Promise<number> {
  const script = new URL('../support/changes-process.ts', import.meta.url)
  const child = fork(script, [file, String(first), '1000'], { execArgv: [] })
  let last = first - 1
  child.on('message', (i) => {
    last = Number(i)
    if (last >= killAt) child.kill('SIGKILL')
  })
  const [code, signal] = await once(child, 'exit')
  expect([code, signal]).toEqual(killAt === Infinity ? [0, null] : [null, 'SIGKILL'])
  return last
}

describe('attempts by strangers', () => {
  const from = (address: string): AuditEntry => entry(0, { actor: null, from: address, outcome: 'refused' })
  const open = () => {
    const kept: AuditEntry[] = []
    const faults: unknown[] = []
    const clock = { now: 0, broken: false }
    const strangers = new Strangers({
      note: async (record) => {
        if (clock.broken) throw new Error('disk full')
        kept.push(record)
      },
      now: () => clock.now,
      fault: (cause) => faults.push(cause),
    })
    return { kept, faults, clock, strangers }
  }

  it('of one address: ten are kept, the others counted in one record', async () => {
    const { kept, strangers } = open()
    for (let i = 0; i < 500; i++) await strangers.note(from('10.0.0.7'))
    expect(kept).toHaveLength(10)
    await strangers.summarise()
    await strangers.summarise()
    expect(kept).toHaveLength(11)
    expect(kept.at(-1)).toMatchObject({
      actor: null,
      from: '10.0.0.7',
      action: 'access.refused',
      detail: '490 more attempts without a good credential: 10.0.0.7 490',
    })
  })

  it('are summed up within a minute by themselves', async () => {
    jest.useFakeTimers()
    try {
      const { kept, strangers } = open()
      for (let i = 0; i < 12; i++) await strangers.note(from('10.0.0.7'))
      await jest.advanceTimersByTimeAsync(59_000)
      expect(kept).toHaveLength(10)
      await jest.advanceTimersByTimeAsync(1000)
      expect(kept.at(-1)?.detail).toBe('2 more attempts without a good credential: 10.0.0.7 2')
      await jest.advanceTimersByTimeAsync(120_000)
      expect(kept).toHaveLength(11)
    } finally {
      jest.useRealTimers()
    }
  })

  it('of many addresses: a hundred are kept, and the loudest are named', async () => {
    const { kept, strangers } = open()
    for (let i = 0; i < 3000; i++) await strangers.note(from(`10.0.${i >> 8}.${i & 255}`))
    for (let i = 0; i < 50; i++) await strangers.note(from('192.0.2.1'))
    await strangers[Symbol.asyncDispose]()
    expect(kept).toHaveLength(101)
    expect(kept.at(-1)?.from).toBe('several addresses')
    expect(kept.at(-1)?.detail).toMatch(
      /^2950 more attempts without a good credential: others \d+, .* and 99\d more addresses$/,
    )
    expect(kept.at(-1)?.detail?.length).toBeLessThan(300)
  })

  it('one a minute is kept again later, and a whole IPv6 network is one address', async () => {
    const { kept, clock, strangers } = open()
    for (let i = 0; i < 20; i++) await strangers.note(from(`2001:db8:1:2::${i}`))
    expect(kept).toHaveLength(10)
    clock.now += 60_000
    await strangers.note(from('2001:db8:1:2::1'))
    expect(kept).toHaveLength(11)
    await strangers[Symbol.asyncDispose]()
  })

  it('are no fault of the request where the log can’t be written', async () => {
    const { faults, clock, strangers } = open()
    for (let i = 0; i < 20; i++) await strangers.note(from('10.0.0.7'))
    clock.broken = true
    await strangers.summarise()
    expect(faults).toHaveLength(1)
  })
})
