// The registry on a Consul that is ill, restored, wiped, or none at all: what is known stays, and everything heals.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { compareAndSet, type Registry, RegistryUnavailable } from '../../gateway/control/registry/port.ts'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { freshPrefix, openAt } from '../support/consul-registry.ts'
import { eventually } from '../support/eventually.ts'
import { slowProxy } from '../support/slow-proxy.ts'

/** What a watch has told so far. */
function watching(registry: Registry, prefix?: string) {
  const told = { changed: 0, lost: [] as string[] }
  registry.watch(
    () => (told.changed += 1),
    (cause) => told.lost.push(String(cause)),
    prefix,
  )
  return told
}

const toldOnce = (told: { changed: number }, times = 1): Promise<void> =>
  eventually(() => expect(told.changed).toBeGreaterThanOrEqual(times), 8000)

describeWithConsul('a registry in Consul', () => {
  let server: ConsulServer
  beforeAll(async () => {
    server = await startConsul()
  }, 240_000)
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  it('keeps any key', async () => {
    await using registry = openAt(server.url)
    const keys = ['a b/ü?#%25&=+', '值/1', 'x/../y//\'"\\']
    for (const key of keys) await compareAndSet(registry, key, key, 0)
    expect(new Set((await registry.list('')).map(({ value }) => value))).toEqual(new Set(keys))
    for (const key of keys) expect((await registry.read(key))?.version).toBe(1)
    expect(await registry.list('', { limit: 9 })).toEqual(await registry.list(''))
  })

  it('is begun by whoever comes first, however many come at once', async () => {
    for (let round = 0; round < 10; round++) {
      const prefix = freshPrefix()
      await using one = openAt(server.url, { prefix })
      await using two = openAt(server.url, { prefix })
      const asked = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : two).list(''))
      expect(await Promise.all(asked)).toEqual(asked.map(() => []))
    }
  })

  it('lists more than fits into one transaction', async () => {
    await using registry = openAt(server.url)
    const key = (i: number): string => `a/${String(i).padStart(4, '0')}`
    for (const from of [0, 60, 120]) {
      const changes = Array.from({ length: 60 }, (_, i) => ({
        key: key(from + i),
        value: i,
        expectedVersion: 0,
      }))
      expect((await registry.commit(changes)).ok).toBe(true)
    }
    const page = await registry.list('a/', { after: key(9), limit: 150 })
    expect(page.map((record) => record.key)).toEqual(Array.from({ length: 150 }, (_, i) => key(10 + i)))
  })

  it('takes as many changes as it says, and refuses more before it asks', async () => {
    await using registry = openAt(server.url)
    const changes = (count: number, value: unknown, expectedVersion: number) =>
      Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value, expectedVersion }))
    expect((await registry.commit(changes(63, 1, 0))).ok).toBe(true)
    await expect(registry.commit(changes(64, 1, 1))).rejects.toThrow(RangeError)
    expect((await registry.commit(changes(31, null, 1))).ok).toBe(true)
    await expect(registry.commit(changes(32, null, 1))).rejects.toThrow('removals, which count twice')
  })

  it('takes large values up to Consul’s bound, and refuses larger ones with the key and the bound', async () => {
    await using registry = openAt(server.url)
    const large = (bytes: number) => compareAndSet(registry, `large/${bytes}`, 'x'.repeat(bytes), 0)
    expect((await large(390_000)).ok).toBe(true)
    await expect(large(400_000)).rejects.toThrow(
      /change of large\/400000 takes \d+ bytes; Consul takes 524288/,
    )
    expect(await registry.read('large/400000')).toBeNull()
  })

  it('of two who remove one record, one has done it', async () => {
    const prefix = freshPrefix()
    await using one = openAt(server.url, { prefix })
    await using two = openAt(server.url, { prefix })
    for (let i = 0; i < 10; i++) {
      await compareAndSet(one, 'k', i, 0)
      const removals = await Promise.all([one, two].map((registry) => compareAndSet(registry, 'k', null, 1)))
      expect(removals.filter(({ ok }) => ok)).toHaveLength(1)
    }
  })

  it('counts versions by itself, whatever Consul’s index does', async () => {
    await using registry = openAt(server.url)
    for (let i = 0; i < 5; i++) {
      await server.ask('PUT', `/kv/unrelated-${i}`, 'x')
      expect(await compareAndSet(registry, 'k', i, i)).toEqual({ ok: true, versions: [i + 1] })
    }
    await compareAndSet(registry, 'k', null, 5)
    expect(await compareAndSet(registry, 'k', 'anew', 0)).toEqual({ ok: true, versions: [1] })
  })

  it('shows what others put there as unreadable, and overwrites none of it', async () => {
    const prefix = freshPrefix()
    await using registry = openAt(server.url, { prefix })
    await compareAndSet(registry, 'good', 1, 0)
    for (const [key, body] of Object.entries({ bad1: 'none', bad2: '{"version":0}', bad3: '{"a":1}' })) {
      await server.ask('PUT', `/kv/${prefix}${key}`, body)
    }
    const bad = (key: string) => ({ key, value: undefined, version: 0 })
    expect(await registry.list('')).toEqual([
      ...['bad1', 'bad2', 'bad3'].map(bad),
      { key: 'good', value: 1, version: 1 },
    ])
    for (const [value, expectedVersion] of [
      [1, 0],
      [1, 1],
      [null, 0],
      [null, 1],
    ] as const) {
      expect(await compareAndSet(registry, 'bad1', value, expectedVersion)).toEqual({
        ok: false,
        key: 'bad1',
        current: bad('bad1'),
      })
    }
  })

  it('hears of a change by any client within a second', async () => {
    const prefix = freshPrefix()
    await using registry = openAt(server.url, { prefix, waitMs: 60_000 })
    await registry.list('')
    const told = watching(registry)
    await toldOnce(told)
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const before = told.changed
      const at = performance.now()
      await server.ask('PUT', `/kv/${prefix}intent/x`, String(i))
      await eventually(() => expect(told.changed).toBeGreaterThan(before))
      times.push(performance.now() - at)
    }
    expect(Math.max(...times)).toBeLessThan(1000)
  })

  /** 200 keys under a prefix, each written ten times a second for three seconds. */
  async function churn(under: string): Promise<number> {
    const at = performance.now()
    for (let round = 0; round < 30; round++) {
      for (let from = 0; from < 200; from += 50) {
        const writes = Array.from({ length: 50 }, (_, i) => ({
          KV: { Verb: 'set', Key: `${under}${from + i}`, Value: btoa(String(round)) },
        }))
        expect((await server.ask('PUT', '/txn', JSON.stringify(writes))).status).toBe(200)
      }
      const next = at + (round + 1) * 100
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())))
    }
    return (performance.now() - at) / 1000
  }
  /** A burst of 8, then 4 a second, and the one that waits. */
  const paced = (seconds: number): number => 9 + Math.ceil(seconds * 4)

  it.each([
    { name: 'beside records', records: true },
    { name: 'where it has none', records: false },
  ])('asks little and tells nothing while 200 others’ keys churn, $name', async ({ records }) => {
    await using proxy = await slowProxy(server.port)
    await using registry = openAt(proxy.url, { waitMs: 60_000 })
    if (records) await compareAndSet(registry, 'intent/x', 1, 0)
    const told = watching(registry, 'intent/')
    await toldOnce(told)
    const before = proxy.requests
    const seconds = await churn(freshPrefix())
    expect(proxy.requests - before).toBeLessThanOrEqual(records ? 0 : paced(seconds))
    expect(told).toEqual({ changed: 1, lost: [] })
  })

  it('asks at a steady pace while 200 of its own keys churn, and hears of the last', async () => {
    const prefix = freshPrefix()
    await using proxy = await slowProxy(server.port)
    await using registry = openAt(proxy.url, { prefix, waitMs: 60_000 })
    const told = watching(registry, 'intent/')
    await toldOnce(told)
    const before = proxy.requests
    const seconds = await churn(`${prefix}intent/`)
    expect(proxy.requests - before).toBeLessThanOrEqual(paced(seconds))
    // What was written while it paused is told of when it asks again, and then nothing more.
    await new Promise((resolve) => setTimeout(resolve, 600))
    const settled = told.changed
    await server.ask('PUT', `/kv/${prefix}intent/0`, 'the last')
    await toldOnce(told, settled + 1)
    expect(told.lost).toEqual([])
  })

  it('tells nothing where a write has changed nothing', async () => {
    const prefix = freshPrefix()
    await using proxy = await slowProxy(server.port)
    await using registry = openAt(proxy.url, { prefix, waitMs: 60_000 })
    const told = watching(registry)
    await toldOnce(told)
    const put = (flags: number, value: string) => server.ask('PUT', `/kv/${prefix}k?flags=${flags}`, value)
    await put(0, 'same')
    await toldOnce(told, 2)
    // Flags are none of ours, but they move the index.
    for (const flags of [1, 2]) {
      const before = proxy.requests
      await put(flags, 'same')
      await eventually(() => expect(proxy.requests).toBeGreaterThan(before))
    }
    expect(told.changed).toBe(2)
    await put(2, 'another')
    await toldOnce(told, 3)
  })

  it('says that an answer did not come, and leaves open whether it was done', async () => {
    await using proxy = await slowProxy(server.port)
    await using registry = openAt(proxy.url, { timeoutMs: 300 })
    await compareAndSet(registry, 'k', 'before', 0)
    const told = watching(registry)
    await toldOnce(told)
    proxy.delayOf = (body) => (body.includes('"cas"') ? 30_000 : 0)
    await expect(compareAndSet(registry, 'new', 1, 0)).rejects.toThrow(RegistryUnavailable)
    proxy.delayOf = () => 30_000
    const at = performance.now()
    await expect(registry.list('')).rejects.toThrow(/did not answer in time/)
    await expect(registry.list('', { limit: 1 })).rejects.toThrow(/did not answer in time/)
    expect(performance.now() - at).toBeLessThan(2000)
    await eventually(() => expect(told.lost).toHaveLength(1), 5000)
    proxy.delayOf = () => 0
    expect(await registry.read('new')).toEqual({ key: 'new', value: 1, version: 1 })
    await toldOnce(told, 2)
    expect(told.lost).toHaveLength(1)
  })

  it('closes at once while answers are awaited', async () => {
    await using proxy = await slowProxy(server.port)
    const registry = openAt(proxy.url, { timeoutMs: 60_000, waitMs: 60_000 })
    watching(registry)
    await eventually(() => expect(proxy.requests).toBeGreaterThan(0))
    const at = performance.now()
    await registry[Symbol.asyncDispose]()
    expect(performance.now() - at).toBeLessThan(500)
  })

  it('that is wiped says so and keeps nobody from putting it back', async () => {
    const prefix = freshPrefix()
    await using registry = openAt(server.url, { prefix })
    await compareAndSet(registry, 'intent/x', 1, 0)
    const told = watching(registry, 'intent/')
    await toldOnce(told)
    const snapshot = await (await server.ask('GET', '/snapshot')).arrayBuffer()
    await server.ask('DELETE', `/kv/${prefix}?recurse`)
    await toldOnce(told, 2)
    const asks = [
      () => registry.list(''),
      () => registry.read('intent/x'),
      () => registry.list('', { limit: 1 }),
      () => compareAndSet(registry, 'other', 1, 0),
    ]
    for (const ask of asks) await expect(ask()).rejects.toThrow(/are gone; restore a snapshot/)
    // A gateway that starts now finds nothing and begins anew: what was decided is not undone by that here.
    await using another = openAt(server.url, { prefix })
    expect(await another.list('')).toEqual([])
    for (const ask of asks) await expect(ask()).rejects.toThrow(/were begun anew/)
    // Consul's index goes back by this; a watch that waits from the old one would be deaf.
    for (let i = 0; i < 50; i++) await server.ask('PUT', '/kv/unrelated', String(i))
    await fetch(`${server.url}/v1/snapshot`, { method: 'PUT', body: snapshot })
    await toldOnce(told, 3)
    expect(await registry.list('')).toEqual([{ key: 'intent/x', value: 1, version: 1 }])
    const before = told.changed
    const at = performance.now()
    await compareAndSet(registry, 'intent/x', 2, 1)
    await toldOnce(told, before + 1)
    expect(performance.now() - at).toBeLessThan(1000)
  })

  it('begins empty after a restart of ours where it was wiped', async () => {
    const prefix = freshPrefix()
    {
      await using registry = openAt(server.url, { prefix })
      await compareAndSet(registry, 'k', 1, 0)
    }
    await server.ask('DELETE', `/kv/${prefix}?recurse`)
    await using registry = openAt(server.url, { prefix })
    expect(await registry.list('')).toEqual([])
  })

  describe('whose server', () => {
    it('hangs is given up in time, missed once, and heard again', async () => {
      await using registry = openAt(server.url, { timeoutMs: 500 })
      await compareAndSet(registry, 'k', 1, 0)
      const told = watching(registry)
      await toldOnce(told)
      server.freeze()
      try {
        await expect(registry.read('k')).rejects.toThrow(/did not answer in time .* see whether it hangs/)
        await eventually(() => expect(told.lost).toHaveLength(1), 5000)
      } finally {
        server.thaw()
      }
      await toldOnce(told, 2)
      expect((await registry.read('k'))?.value).toBe(1)
      expect(told.lost).toHaveLength(1)
    })

    it('is killed and comes back with its data is missed once and heard again', async () => {
      await using registry = openAt(server.url)
      await compareAndSet(registry, 'k', 1, 0)
      const told = watching(registry)
      await toldOnce(told)
      await server.kill()
      await expect(compareAndSet(registry, 'k', 2, 1)).rejects.toThrow(/can't be/)
      await eventually(() => expect(told.lost).toHaveLength(1))
      await server.start()
      await toldOnce(told, 2)
      await eventually(async () => expect((await registry.read('k'))?.value).toBe(1), 5000)
      const before = told.changed
      await compareAndSet(registry, 'k', 2, 1)
      await toldOnce(told, before + 1)
      expect(told.lost).toHaveLength(1)
    })
  })

  it.each([
    { name: 'a page', status: 200, type: 'text/html', body: '<html>', words: /no answer of Consul/ },
    { name: 'no JSON', status: 200, type: 'application/json', body: '{"Res', words: /no JSON/ },
    { name: 'other JSON', status: 200, type: 'application/json', body: '[]', words: /no answer of Consul/ },
    { name: 'nothing', status: 200, type: 'application/json', body: '', words: /no answer of Consul/ },
    {
      name: '500',
      status: 500,
      type: 'text/plain',
      body: 'No cluster leader',
      words: /500 \(No cluster lead/,
    },
    { name: '400', status: 400, type: 'text/plain', body: 'what?', words: /400 \(what\?\)/ },
    { name: '404', status: 404, type: 'text/plain', body: '', words: /404/ },
  ])('takes $name for no answer', async ({ status, type, body, words }) => {
    let watched = 0
    const impostor = createServer((request, response) => {
      if (request.url?.includes('recurse') === true) watched += 1
      response.writeHead(status, { 'content-type': type }).end(body)
    })
    impostor.listen(0, '127.0.0.1')
    await once(impostor, 'listening')
    const address = impostor.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    try {
      await using registry = openAt(`http://127.0.0.1:${port}`)
      const told = watching(registry)
      await expect(registry.list('')).rejects.toThrow(words)
      await expect(compareAndSet(registry, 'k', 1, 0)).rejects.toThrow(RegistryUnavailable)
      // Asked again and again, told of once.
      await eventually(() => expect(watched).toBeGreaterThanOrEqual(3), 5000)
      expect([told.changed, told.lost.length]).toEqual([0, 1])
    } finally {
      impostor.closeAllConnections()
      impostor.close()
      await once(impostor, 'close')
    }
  })
})
