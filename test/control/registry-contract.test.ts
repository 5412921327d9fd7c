// What every registry driver must do, whatever keeps the records.
import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type ConsulPlace, openConsulRegistry } from '../../gateway/control/registry/consul/registry.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { LockLost } from '../../gateway/control/registry/lock.ts'
import { compareAndSet, type Registry } from '../../gateway/control/registry/port.ts'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { consulPlace } from '../support/consul-registry.ts'
import { eventually } from '../support/eventually.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chiyuan-registry-'))
  file = join(folder, 'chiyuan.db')
})
afterEach(() => rm(folder, { recursive: true }))

const changed = (registry: Registry): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = registry.watch(() => {
      stop()
      resolve()
    }, reject)
  })

/** What holds of every driver. */
function keepsRecords(open: () => Registry): void {
  it('creates, changes and removes a record by its version', async () => {
    await using registry = open()
    expect(await compareAndSet(registry, 'a/1', { x: 1 }, 0)).toEqual({ ok: true, versions: [1] })
    expect(await compareAndSet(registry, 'a/1', { x: 2 }, 1)).toEqual({ ok: true, versions: [2] })
    expect(await registry.list('a/')).toEqual([{ key: 'a/1', value: { x: 2 }, version: 2 }])
    expect(await compareAndSet(registry, 'a/1', null, 2)).toEqual({ ok: true, versions: [0] })
    expect(await registry.list('a/')).toEqual([])
  })

  it('refuses a change of a version that no longer stands, and says what does', async () => {
    await using registry = open()
    await compareAndSet(registry, 'a/1', 'first', 0)
    const current = { key: 'a/1', value: 'first', version: 1 }
    expect(await compareAndSet(registry, 'a/1', 'second', 0)).toEqual({ ok: false, key: 'a/1', current })
    expect(await compareAndSet(registry, 'a/1', null, 7)).toEqual({ ok: false, key: 'a/1', current })
    expect(await compareAndSet(registry, 'a/2', 'second', 3)).toEqual({
      ok: false,
      key: 'a/2',
      current: null,
    })
  })

  it('lists by prefix only, in order of keys', async () => {
    await using registry = open()
    for (const key of ['b/2', 'b/1', 'a%_/1', 'bb/1']) await compareAndSet(registry, key, 1, 0)
    expect((await registry.list('b/')).map(({ key }) => key)).toEqual(['b/1', 'b/2'])
    expect((await registry.list('a%_')).map(({ key }) => key)).toEqual(['a%_/1'])
  })

  it('lists page by page', async () => {
    await using registry = open()
    for (const key of ['a/1', 'b/1', 'b/2', 'b/3']) await compareAndSet(registry, key, 1, 0)
    const keys = async (after: string): Promise<string[]> =>
      (await registry.list('b/', { after, limit: 2 })).map(({ key }) => key)
    expect([await keys(''), await keys('b/2'), await keys('b/3')]).toEqual([['b/1', 'b/2'], ['b/3'], []])
  })

  it('reads one record', async () => {
    await using registry = open()
    expect(await registry.read('k')).toBeNull()
    await compareAndSet(registry, 'k', 'v', 0)
    expect(await registry.read('k')).toEqual({ key: 'k', value: 'v', version: 1 })
  })

  it('writes several records together, or none', async () => {
    await using registry = open()
    await compareAndSet(registry, 'a', 1, 0)
    await compareAndSet(registry, 'b', 1, 0)
    const change = (key: string, value: unknown, expectedVersion: number) => ({
      key,
      value,
      expectedVersion,
    })
    expect(await registry.commit([change('a', 2, 1), change('c', 1, 0), change('b', null, 1)])).toEqual({
      ok: true,
      versions: [2, 1, 0],
    })
    expect(await registry.commit([change('a', 3, 2), change('c', 2, 7)])).toEqual({
      ok: false,
      key: 'c',
      current: { key: 'c', value: 1, version: 1 },
    })
    expect(await registry.list('')).toEqual([
      { key: 'a', value: 2, version: 2 },
      { key: 'c', value: 1, version: 1 },
    ])
  })

  it('lets one of many racing writers win', async () => {
    await using one = open()
    await using two = open()
    const writes = await Promise.all(
      [one, two, one, two].map((registry, i) => compareAndSet(registry, 'k', i, 0)),
    )
    expect(writes.filter(({ ok }) => ok)).toHaveLength(1)
  })

  it('tells of its own changes and of those made elsewhere', async () => {
    await using one = open()
    await using two = open()
    await compareAndSet(one, 'k', 0, 0)
    const seen: unknown[] = []
    let saw = (): void => {}
    const stop = one.watch(
      () =>
        void one.read('k').then(
          (record) => (seen.push(record?.value), saw()),
          // The registry is closed by now.
          () => {},
        ),
      () => {},
    )
    const until = (value: unknown): Promise<void> =>
      new Promise((resolve) => {
        saw = () => {
          if (seen.at(-1) === value) resolve()
        }
        saw()
      })
    const own = until(1)
    await compareAndSet(one, 'k', 1, 1)
    await own
    const elsewhere = until(2)
    await compareAndSet(two, 'k', 2, 2)
    await elsewhere
    stop()
  })

  it('tells no more once the watch has ended', async () => {
    await using registry = open()
    let told = 0
    const stop = registry.watch(
      () => (told += 1),
      () => {},
    )
    stop()
    const other = changed(registry)
    await compareAndSet(registry, 'k', 1, 0)
    await other
    expect(told).toBe(0)
  })

  it('tells of the keys that were asked for', async () => {
    await using one = open()
    await using two = open()
    await compareAndSet(two, 'a/1', 1, 0)
    const seen = new Promise<void>((resolve, reject) => {
      one.watch(
        () =>
          void one.read('a/1').then(
            (record) => record?.value === 2 && resolve(),
            () => {},
          ),
        reject,
        'a/',
      )
    })
    await compareAndSet(two, 'a/1', 2, 1)
    await seen
  })

  it('writes under a lock while it is held, and no more once it was let go', async () => {
    await using registry = open()
    const lock = registry.lock('drills', 'one')
    await eventually(() => expect([lock.isHeld, lock.trouble]).toEqual([true, null]))
    expect(await compareAndSet(lock.registry, 'k', 1, 0)).toEqual({ ok: true, versions: [1] })
    expect(lock.trouble).toBeNull()
    // What it is made of is none of the records.
    expect((await lock.registry.list('')).map(({ key }) => key)).toEqual(['k'])
    expect((await registry.list('', { limit: 9 })).map(({ key }) => key)).toEqual(['k'])
    await lock[Symbol.asyncDispose]()
    expect(lock.isHeld).toBe(false)
    await expect(compareAndSet(lock.registry, 'k', 2, 1)).rejects.toThrow(LockLost)
    await using next = registry.lock('drills', 'two')
    await eventually(() => expect(next.isHeld).toBe(true))
    expect(await compareAndSet(next.registry, 'k', 2, 1)).toEqual({ ok: true, versions: [2] })
  })

  it('keeps its records', async () => {
    {
      await using registry = open()
      await compareAndSet(registry, 'k', { a: ['值', null, 1.5] }, 0)
    }
    await using again = open()
    expect(await again.list('')).toEqual([{ key: 'k', value: { a: ['值', null, 1.5] }, version: 1 }])
  })
}

describe('embedded', () => {
  keepsRecords(() => openEmbeddedRegistry(file))
})

describeWithConsul('consul', () => {
  let server: ConsulServer
  let place: ConsulPlace
  beforeAll(async () => {
    server = await startConsul()
  }, 240_000)
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    place = consulPlace(server.url)
  })
  keepsRecords(() => openConsulRegistry(place))
})

describe('the embedded file', () => {
  it('is nobody else’s to read', async () => {
    await using registry = openEmbeddedRegistry(file)
    await registry.list('')
    expect((await stat(file)).mode & 0o077).toBe(0)
  })

  it('that is none of ours is refused with a way out', async () => {
    await writeFile(file, 'this is no database, but long enough to be looked at as one. '.repeat(20))
    expect(() => openEmbeddedRegistry(file)).toThrow(
      /chiyuan\.db: the registry can't be opened .* set registry\.file/s,
    )
  })

  it('of a newer release is refused', async () => {
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(() => openEmbeddedRegistry(file)).toThrow(/version 99.*newer release/)
  })
})

it('a file that is deleted is missed, one that comes in its place is opened', async () => {
  await using registry = openEmbeddedRegistry(file)
  await compareAndSet(registry, 'a/1', 'here', 0)
  const lost = new Promise<unknown>((resolve) => {
    registry.watch(() => {}, resolve)
  })
  await rename(file, `${file}.away`)
  expect(String(await lost)).toContain('is gone; put it back')
  await expect(registry.list('a/')).rejects.toThrow('is gone')
  await expect(compareAndSet(registry, 'a/1', 'lost', 1)).rejects.toThrow('is gone')
  const back = changed(registry)
  await rename(`${file}.away`, file)
  await back
  expect(await registry.list('a/')).toEqual([{ key: 'a/1', value: 'here', version: 1 }])
  await rename(file, `${file}.older`)
  await using other = openEmbeddedRegistry(file)
  await compareAndSet(other, 'a/1', 'another', 0)
  expect(await registry.list('a/')).toEqual([{ key: 'a/1', value: 'another', version: 1 }])
})
