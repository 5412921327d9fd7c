// Region nodes keep themselves in a real Consul's catalogue: there while they serve, gone when they end.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { runToEnd, spawnNode } from '../region-node/running-node.ts'
import { type ConsulServer, describeWithConsul } from '../support/consul.ts'
import { type GuardedConsul, startGuardedConsul } from '../support/guarded-consul.ts'
import { eventually } from '../support/eventually.ts'

const healthSchema = z.array(
  z.object({
    Service: z.object({
      ID: z.string(),
      Address: z.string(),
      Port: z.number(),
      Meta: z.record(z.string(), z.string()),
    }),
    Checks: z.array(z.object({ CheckID: z.string(), Status: z.string() })),
  }),
)

/** Enough for a check every two seconds on a busy machine. */
const patienceMs = 12_000

describeWithConsul('a region node in Consul’s catalogue', () => {
  let consul: GuardedConsul
  let server: ConsulServer
  let management: string
  let folder: string
  let tokenFile: string
  beforeAll(async () => {
    consul = await startGuardedConsul()
    ;({ server, management } = consul)
    folder = await mkdtemp(join(tmpdir(), 'chiyuan-registration-'))
    tokenFile = join(folder, 'token')
    await writeFile(tokenFile, (await consul.tokenWith('service "chiyuan-node" { policy = "write" }')).secret)
  }, 240_000)
  afterAll(async () => {
    await consul[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** What Consul tells of a node; `null` where it has none of that name. */
  async function seen(name: string) {
    const answer = await server.ask('GET', '/health/service/chiyuan-node', undefined, management)
    const all = healthSchema.parse(await answer.json())
    const one = all.find(({ Service }) => Service.ID === `chiyuan-node-${name}`)
    if (one === undefined) return null
    const check = one.Checks.find(({ CheckID }) => CheckID === `chiyuan-node-${name}-ready`)
    return { service: one.Service, health: check?.Status }
  }

  const start = (name: string, ...flags: string[]) =>
    spawnNode('--name', name, '--consul', server.url, '--consul-token-file', tokenFile, ...flags)

  it('enters itself with what gateways must know, put back when it was taken out, and leaves when it is told to stop', async () => {
    const name = `n-${randomUUID()}`
    await using node = await start(name, '--consul-weight', '2.5', '--limit', '64', '--notice-ms', '3000')
    await eventually(async () => expect((await seen(name))?.health).toBe('passing'), patienceMs)
    expect((await seen(name))?.service).toEqual({
      ID: `chiyuan-node-${name}`,
      Address: '127.0.0.1',
      Port: node.port,
      Meta: {
        region: '610100',
        node: name,
        scheme: 'http',
        weight: '2.5',
        limit: '64',
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      },
    })
    const path = `/agent/service/deregister/chiyuan-node-${name}`
    expect((await server.ask('PUT', path, undefined, management)).status).toBe(200)
    await eventually(async () => expect(await seen(name)).toBeNull(), patienceMs)
    await eventually(async () => expect((await seen(name))?.health).toBe('passing'), patienceMs)
    node.child.kill('SIGTERM')
    // While it still serves: it ends only after its notice.
    await eventually(async () => expect(await seen(name)).toBeNull(), 2500)
    expect((await fetch(`${node.url}/healthz`)).status).toBe(200)
    expect(await node.ended).toEqual([0, null])
  })

  it('is shown as critical after kill -9', async () => {
    const name = `n-${randomUUID()}`
    await using node = await start(name)
    await eventually(async () => expect((await seen(name))?.health).toBe('passing'), patienceMs)
    node.child.kill('SIGKILL')
    await eventually(async () => expect((await seen(name))?.health).toBe('critical'), patienceMs)
    await server.ask('PUT', `/agent/service/deregister/chiyuan-node-${name}`, undefined, management)
  })

  it('serves without Consul, and ends as soon', async () => {
    await using node = await spawnNode('--consul', 'http://127.0.0.1:9', '--notice-ms', '0')
    expect((await fetch(`${node.url}/readyz`)).status).toBe(200)
    node.child.kill('SIGTERM')
    expect(await node.ended).toEqual([0, null])
  })

  it('does not start with what can’t be meant', async () => {
    const wrong = [
      { flags: ['--consul', '--host', '0.0.0.0'], says: '--consul-address' },
      { flags: ['--consul-weight', '2'], says: '--consul' },
      { flags: ['--consul', '--consul-weight', '0.0001'], says: '3 decimals' },
      { flags: ['--consul', 'ftp://x'], says: 'http://127.0.0.1:8500' },
      { flags: ['--consul', '--consul-address', '::'], says: 'not a wildcard' },
    ]
    await Promise.all(
      wrong.map(async ({ flags, says }) => {
        const { code, stderr } = await runToEnd('--port', '0', '--residents', '0', ...flags)
        expect([code, stderr]).toEqual([1, expect.stringContaining(says)])
      }),
    )
  })
})
