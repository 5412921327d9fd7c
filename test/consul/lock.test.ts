// A lock among several on one Consul: one has it, nobody writes by one that is lost, and it does not die with its holder.
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { z } from 'zod'
import { LockLost } from '../../gateway/control/registry/lock.ts'
import { compareAndSet } from '../../gateway/control/registry/port.ts'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { freshPrefix, openAt } from '../support/consul-registry.ts'
import { eventually } from '../support/eventually.ts'

const sessions = z.array(z.object({ ID: z.string(), Name: z.string() }))

describeWithConsul('a lock in Consul', () => {
  let server: ConsulServer
  let prefix: string
  beforeAll(async () => {
    server = await startConsul()
  }, 240_000)
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    prefix = freshPrefix()
  })

  const ownSessions = async (): Promise<string[]> =>
    sessions
      .parse(await (await server.ask('GET', '/session/list')).json())
      .filter(({ Name }) => Name.includes(prefix))
      .map(({ ID }) => ID)

  it('one of three has it; let go, another has it at once, and no session is left', async () => {
    await using one = openAt(server.url, { prefix })
    await using two = openAt(server.url, { prefix })
    await using three = openAt(server.url, { prefix })
    const locks = [one, two, three].map((registry, i) => registry.lock('drills', `gateway ${i}`))
    for (const left of [3, 2, 1]) {
      await eventually(() => expect(locks.filter(({ isHeld }) => isHeld)).toHaveLength(1))
      for (const lock of locks.filter(({ isHeld }) => !isHeld)) {
        await expect(compareAndSet(lock.registry, 'k', 'by another', 3 - left)).rejects.toThrow(LockLost)
      }
      const held = locks.findIndex(({ isHeld }) => isHeld)
      const [holder] = locks.splice(held, 1)
      expect((await compareAndSet(holder?.registry ?? one, 'k', left, 3 - left)).ok).toBe(true)
      await holder?.[Symbol.asyncDispose]()
    }
    expect((await one.read('k'))?.version).toBe(3)
    expect(await ownSessions()).toEqual([])
  })

  it('taken from who has it, that one’s writes are refused by Consul itself, and one of them has it again', async () => {
    await using one = openAt(server.url, { prefix })
    await using two = openAt(server.url, { prefix })
    await using first = one.lock('drills', 'one')
    await eventually(() => expect(first.isHeld).toBe(true))
    await using second = two.lock('drills', 'two')
    await second.depose()
    // It may not have heard of it yet, and is refused all the same.
    await expect(compareAndSet(first.registry, 'k', 1, 0)).rejects.toThrow(LockLost)
    expect(await one.read('k')).toBeNull()
    await eventually(() => {
      expect([first, second].filter(({ isHeld }) => isHeld)).toHaveLength(1)
    }, 10_000)
  })

  it('is made where a datacenter is named, by a node of it', async () => {
    await using registry = openAt(server.url, { prefix, datacenter: 'dc1' })
    await using lock = registry.lock('drills', 'one')
    await eventually(() => expect([lock.isHeld, lock.trouble]).toEqual([true, null]))
    expect(await ownSessions()).toHaveLength(1)
  })

  it('comes back after Consul was away', async () => {
    await using one = openAt(server.url, { prefix })
    await using lock = one.lock('drills', 'one')
    await eventually(() => expect(lock.isHeld).toBe(true))
    await server.kill()
    try {
      await eventually(() => expect(lock.trouble).toMatch(/Consul at http/), 10_000)
    } finally {
      await server.start()
    }
    await eventually(async () => {
      expect([lock.isHeld, lock.trouble]).toEqual([true, null])
      expect((await compareAndSet(lock.registry, 'k', 1, 0)).ok).toBe(true)
    }, 20_000)
  }, 40_000)
})
