// The registry on a Consul that asks who we are: rights that are missing, wrong, or changed while we watch.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { Directory } from '../../gateway/control/directory.ts'
import { compareAndSet, RegistryUnavailable } from '../../gateway/control/registry/port.ts'
import { commandGateway } from '../support/command-gateway.ts'
import { type ConsulServer, describeWithConsul } from '../support/consul.ts'
import { type GuardedConsul, startGuardedConsul } from '../support/guarded-consul.ts'
import { freshPrefix, openAt } from '../support/consul-registry.ts'
import { eventually } from '../support/eventually.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { aHold, putHold } from '../support/holds.ts'
import { listening } from '../support/silent-observer.ts'
import { httpUpstream, named } from '../support/upstream.ts'
import { aNode, aRegion } from '../support/values.ts'

describeWithConsul('a registry in a Consul with access control', () => {
  let consul: GuardedConsul
  let server: ConsulServer
  let management: string
  let folder: string
  let prefix: string
  beforeAll(async () => {
    consul = await startGuardedConsul()
    ;({ server, management } = consul)
    folder = await mkdtemp(join(tmpdir(), 'chiyuan-consul-access-'))
  }, 240_000)
  afterAll(async () => {
    await consul[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    prefix = freshPrefix()
  })

  const tokenWith = (rules: string) => consul.tokenWith(rules)
  const records = (): string => `key_prefix "${prefix}" { policy = "write" }`
  const least = (): string => `${records()} session_prefix "" { policy = "write" }`

  it('works with the least rights that the documentation names', async () => {
    const { secret } = await tokenWith(least())
    await using registry = openAt(server.url, { prefix, token: secret })
    expect((await compareAndSet(registry, 'k', 1, 0)).ok).toBe(true)
    expect((await compareAndSet(registry, 'k', null, 1)).ok).toBe(true)
    expect(await registry.list('', { limit: 5 })).toEqual([])
    await using lock = registry.lock('drills', 'one')
    await eventually(() => expect([lock.isHeld, lock.trouble]).toEqual([true, null]))
  })

  it('without rights to sessions does all but run drills, and says which right is missing', async () => {
    const { secret } = await tokenWith(records())
    await using registry = openAt(server.url, { prefix, token: secret })
    expect((await compareAndSet(registry, 'k', 1, 0)).ok).toBe(true)
    await using lock = registry.lock('drills', 'one')
    await eventually(() => expect(lock.trouble).toMatch(/runs no drills; give it session_prefix "" with/))
    expect([lock.isHeld, lock.trouble?.includes(secret)]).toEqual([false, false])
  })

  it.each([
    { name: 'no token', token: async () => null },
    {
      name: 'a token of another prefix',
      token: async () => (await tokenWith('key_prefix "x/" { policy = "write" }')).secret,
    },
    { name: 'a token that there is not', token: async () => '5f0e6c8e-0000-4000-8000-000000000000' },
  ])('takes $name for no empty registry', async ({ token }) => {
    {
      await using registry = openAt(server.url, { prefix, token: management })
      await compareAndSet(registry, 'k', 1, 0)
    }
    const secret = await token()
    await using registry = openAt(server.url, { prefix, token: secret })
    for (const ask of [
      () => registry.list(''),
      () => registry.list('', { limit: 1 }),
      () => registry.read('k'),
      () => compareAndSet(registry, 'k', 2, 1),
      () => compareAndSet(registry, 'other', 2, 0),
    ]) {
      const fault: unknown = await ask().catch((cause: unknown) => cause)
      expect(fault).toBeInstanceOf(RegistryUnavailable)
      expect(String(fault)).toMatch(/token/)
      if (secret !== null) expect(inspect(fault, { depth: 20 })).not.toContain(secret)
    }
  })

  it('says so where a token may read only', async () => {
    const { secret } = await tokenWith(`key_prefix "${prefix}" { policy = "read" }`)
    await using writer = openAt(server.url, { prefix, token: management })
    await compareAndSet(writer, 'k', 1, 0)
    await using reader = openAt(server.url, { prefix, token: secret })
    expect((await reader.read('k'))?.value).toBe(1)
    await expect(compareAndSet(reader, 'k', 2, 1)).rejects.toThrow(/Permission denied/)
  })

  it('takes over a rotated token without a restart', async () => {
    const tokenFile = join(folder, 'token')
    const first = await tokenWith(least())
    await writeFile(tokenFile, `${first.secret}\n`)
    await using registry = openAt(server.url, { prefix, tokenFile })
    await compareAndSet(registry, 'k', 1, 0)
    const told = { changed: 0, lost: [] as string[] }
    registry.watch(
      () => (told.changed += 1),
      (cause) => told.lost.push(String(cause)),
    )
    await eventually(() => expect(told.changed).toBe(1))
    const second = await tokenWith(least())
    await writeFile(`${tokenFile}.new`, second.secret)
    await rename(`${tokenFile}.new`, tokenFile)
    await first.revoke()
    expect((await compareAndSet(registry, 'k', 2, 1)).ok).toBe(true)
    await eventually(() => expect(told.changed).toBeGreaterThanOrEqual(2), 5000)
    await second.revoke()
    await eventually(() => expect(told.lost.join()).toMatch(/refuses the token/), 10_000)
    await writeFile(tokenFile, (await tokenWith(least())).secret)
    const before = told.changed
    await eventually(() => expect(told.changed).toBeGreaterThan(before), 10_000)
    expect((await registry.read('k'))?.value).toBe(2)
  })

  it.each([
    { name: 'is missing', text: null, words: /tokenFile can't be read: ENOENT/ },
    { name: 'is empty', text: '\n', words: /does not hold one token/ },
    { name: 'holds more', text: 'one two', words: /does not hold one token/ },
  ])('names a token file that $name', async ({ text, words }) => {
    const tokenFile = join(folder, 'bad-token')
    await rm(tokenFile, { force: true })
    if (text !== null) await writeFile(tokenFile, text)
    await using registry = openAt(server.url, { prefix, tokenFile })
    await expect(registry.list('')).rejects.toThrow(words)
  })

  it('keeps holds in force when the token loses its rights, and heals when it has them again', async () => {
    const tokenFile = join(folder, 'directory-token')
    const token = await tokenWith(least())
    await writeFile(tokenFile, token.secret)
    await using registry = openAt(server.url, { prefix, tokenFile })
    await putHold(registry, aHold('xian-1', 'trip', Date.now() + 600_000))
    const { observer, events } = listening()
    const clock = new FakeClock()
    using directory = new Directory(
      {
        registry,
        clock,
        observer,
        wallNow: Date.now,
        enrolments: () => ({ rampMs: 0, drainMs: 0, share: 1 }),
      },
      () => {},
    )
    await directory.start([aRegion('610100', { nodes: [aNode('xian-1')] })])
    const held = () => [...directory.current.holds.keys()]
    expect([held(), directory.lost]).toEqual([['xian-1'], null])
    // No error is answered to this one: Consul shows it an empty list.
    await writeFile(tokenFile, (await tokenWith('key_prefix "x/" { policy = "write" }')).secret)
    await eventually(() => expect(directory.lost).toMatch(/may not read under/), 10_000)
    expect(held()).toEqual(['xian-1'])
    await writeFile(tokenFile, token.secret)
    await eventually(async () => {
      await clock.advance(1000)
      expect(directory.lost).toBeNull()
    }, 10_000)
    expect(held()).toEqual(['xian-1'])
    expect(events.filter((event) => event.startsWith('registry'))).toEqual(['registry lost', 'registry back'])
  })

  it('takes the token from the environment where no file is named, and never logs it', async () => {
    await using home = await httpUpstream(named('home'))
    const { secret } = await tokenWith(least())
    const config = {
      registry: { driver: 'consul', address: server.url, prefix },
      health: { path: '/healthz' },
      home: { default: '610100' },
      regions: [
        { code: '610100', name: { zh: '西安', en: 'Xian' }, nodes: [{ id: 'xian-1', url: home.url }] },
      ],
    }
    const wrong = `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`
    for (const [token, up] of [
      [secret, 1],
      [wrong, 0],
    ] as const) {
      await using gateway = await commandGateway(config, { CONSUL_HTTP_TOKEN: token })
      expect(await gateway.metric('chiyuan_registry_up')).toBe(up)
      if (up === 0) expect(gateway.said).toMatch(/refuses the token/)
      expect(gateway.said).not.toContain(token)
    }
  })
})
