// Gateways of one federation see each other by a real Consul's catalogue, with the least rights that they can have.
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { z } from 'zod'
import { chiyuan } from '../region-node/chiyuan.ts'
import { commandGateway } from '../support/command-gateway.ts'
import { type ConsulServer, describeWithConsul } from '../support/consul.ts'
import { type GuardedConsul, startGuardedConsul } from '../support/guarded-consul.ts'
import { freshPrefix } from '../support/consul-registry.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { callApi } from '../support/operator-token.ts'

const gatewaysSchema = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      address: z.string(),
      adminPort: z.number(),
      machine: z.string().nullable(),
      health: z.string(),
      detail: z.string(),
      own: z.boolean(),
      readings: z.object({ uptimeSeconds: z.number() }).nullable(),
    }),
  ),
  stale: z.object({ since: z.string(), detail: z.string() }).nullable(),
})

const patienceMs = 15_000

describeWithConsul('gateways in Consul’s catalogue', () => {
  let consul: GuardedConsul
  let server: ConsulServer
  let management: string
  let folder: string
  let prefix: string
  beforeAll(async () => {
    consul = await startGuardedConsul()
    ;({ server, management } = consul)
    folder = await mkdtemp(join(tmpdir(), 'chiyuan-membership-'))
  }, 240_000)
  afterAll(async () => {
    await consul[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(() => {
    prefix = freshPrefix()
  })

  /** @returns The file of a token with these rights. */
  async function tokenFile(...rights: string[]): Promise<string> {
    const file = join(folder, randomUUID())
    await writeFile(file, (await consul.tokenWith(rights.join('\n'))).secret)
    return file
  }

  const keys = (): string => `key_prefix "${prefix}" { policy = "write" }`
  const itself = 'service "chiyuan-gateway" { policy = "write" }'
  const machines = 'node_prefix "" { policy = "read" }'

  const settings = (file: string) => ({
    admin: { port: 0, api: true },
    registry: {
      driver: 'consul',
      address: server.url,
      prefix,
      tokenFile: file,
      timeoutMs: 1000,
      waitMs: 2000,
    },
  })
  const regions = [{ code: '610100', nodes: { 'xian-1': 'http://127.0.0.1:9' } }]

  const known = async (adminUrl: string, token: string) =>
    gatewaysSchema.parse(await (await callApi(adminUrl, token, 'GET', '/gateways')).json())

  it('see each other, and which of them was killed; those of another federation they do not', async () => {
    const file = await tokenFile(keys(), itself, machines)
    await using one = await startTestGateway(regions, settings(file))
    const token = one.gateway.firstToken ?? ''
    const foreign = { Name: 'chiyuan-gateway', ID: randomUUID(), Address: '127.0.0.1', Port: 1 }
    const Meta = { prefix: 'other/', gateway: 'g', adminPort: '1', version: '1', since: 'x' }
    await consul.asManager('PUT', '/agent/service/register', { ...foreign, Meta })
    const { code, nodes } = { code: '610100', nodes: [{ id: 'xian-1', url: 'http://127.0.0.1:9' }] }
    const file2 = {
      home: { default: code },
      regions: [{ code, name: { zh: code, en: code }, neighbours: [], nodes }],
      logLevel: 'warn',
      registry: settings(file).registry,
    }
    const two = await commandGateway(file2, {})
    try {
      await eventually(async () => {
        const { items, stale } = await known(one.adminUrl, token)
        expect(stale).toBeNull()
        const told = items.map(({ address, adminPort, health, own, readings }) => ({
          address,
          adminPort,
          health,
          own,
          measured: readings !== null,
        }))
        expect(told.toSorted((a, b) => Number(b.own) - Number(a.own))).toEqual([
          {
            address: `127.0.0.1:${one.port}`,
            adminPort: one.gateway.adminPort,
            health: 'passing',
            own: true,
            measured: true,
          },
          {
            address: `127.0.0.1:${two.port}`,
            adminPort: Number(new URL(two.adminUrl).port),
            health: 'passing',
            own: false,
            measured: false,
          },
        ])
        expect((await known(two.adminUrl, token)).items).toHaveLength(2)
      }, patienceMs)
    } finally {
      await two[Symbol.asyncDispose]()
    }
    // Taken out by hand it comes back, whatever the others do.
    const mine = (await known(one.adminUrl, token)).items.find(({ own }) => own)?.id ?? ''
    await consul.asManager('PUT', `/agent/service/deregister/${encodeURIComponent(mine)}`)
    await eventually(async () => {
      const killed = (await known(one.adminUrl, token)).items.find(({ own }) => !own)
      expect([killed?.health, killed?.detail]).toEqual(['critical', expect.stringContaining('TTL expired')])
    }, patienceMs)
    expect((await known(one.adminUrl, token)).stale).toBeNull()
    expect(await inCatalogue(mine)).toBe(true)
    const own = join(folder, 'operator-token')
    await writeFile(own, token, { mode: 0o600 })
    const shown = await chiyuan('gateways', '--url', one.adminUrl, '--token-file', own, '--lang', 'en')
    expect(shown.stdout).toMatch(new RegExp(`chiyuan \\(asked\\) .* 127.0.0.1:${one.port} .* well\\n`))
    expect(shown.stdout).toMatch(new RegExp(`chiyuan .* 127.0.0.1:${two.port} .* CRITICAL: TTL expired\\n`))
    await one.close()
    expect(await inCatalogue(mine)).toBe(false)
  })

  async function inCatalogue(id: string): Promise<boolean> {
    const answer = await server.ask('GET', '/health/service/chiyuan-gateway', undefined, management)
    const all = z.array(z.object({ Service: z.object({ ID: z.string() }) })).parse(await answer.json())
    return all.some(({ Service }) => Service.ID === id)
  }

  it.each([
    { name: 'may not enter itself', rights: () => [keys()] },
    { name: 'may not see machines', rights: () => [keys(), itself] },
  ])('one that $name serves, tells of itself, and says why it sees no others', async ({ rights }) => {
    const file = await tokenFile(...rights())
    await using one = await startTestGateway(regions, settings(file))
    const token = one.gateway.firstToken ?? ''
    await eventually(async () => {
      const { items, stale } = await known(one.adminUrl, token)
      expect(items.map(({ own, health }) => [own, health])).toEqual([[true, 'passing']])
      expect(stale?.detail).toContain('Consul shows no chiyuan-gateway of test-')
      const ready = await (await fetch(`${one.adminUrl}/readyz`)).text()
      expect(ready).toMatch(/"status":"ready".*the other gateways are told of as they were seen at/)
    }, patienceMs)
  })
})
