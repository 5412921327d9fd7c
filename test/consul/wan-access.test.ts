// Two datacentres with access control, and the policies that are shipped: a gateway reads the catalogue of both by one token.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { answering, readyz, register } from '../support/catalogue.ts'
import { type ConsulServer, describeWithConsul, startDatacenters } from '../support/consul.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const policies = fileURLToPath(new URL('../../config/deploy/consul/policies/', import.meta.url))
const service = 'chiyuan-node'

describeWithConsul('two datacentres with access control', () => {
  let here: ConsulServer
  let there: ConsulServer
  let management: string
  let folder: string
  beforeAll(async () => {
    const [one, two] = await startDatacenters(
      ['dc1', 'dc2'],
      'primary_datacenter = "dc1" acl { enabled = true default_policy = "deny" enable_token_replication = true }',
    )
    if (one === undefined || two === undefined) throw new Error('two servers were started')
    here = one
    there = two
    folder = await mkdtemp(join(tmpdir(), 'chiyuan-wan-access-'))
    await eventually(async () => {
      const made = await here.ask('PUT', '/acl/bootstrap')
      management = z.object({ SecretID: z.string() }).parse(await made.json()).SecretID
    }, 10_000)
    for (const [at, kind] of [
      [here, 'agent'],
      [there, 'agent'],
      [there, 'replication'],
    ] as const) {
      const token = JSON.stringify({ Token: management })
      expect((await at.ask('PUT', `/agent/token/${kind}`, token, management)).status).toBe(200)
    }
  }, 240_000)
  afterAll(async () => {
    await here[Symbol.asyncDispose]()
    await there[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  /** A token of the primary datacentre, for all of them. */
  async function tokenWith(name: string, rules: string): Promise<string> {
    const asked = async (path: string, body: object): Promise<unknown> => {
      const answer = await here.ask('PUT', path, JSON.stringify(body), management)
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
      return answer.json()
    }
    await asked('/acl/policy', { Name: name, Rules: rules })
    const made = await asked('/acl/token', { Policies: [{ Name: name }] })
    return z.object({ SecretID: z.string() }).parse(made).SecretID
  }
  const shipped = (name: string) => readFile(join(policies, `${name}.hcl`), 'utf8')

  it('the shipped policies let nodes register in each, and a gateway find them in both', async () => {
    await using a = await httpUpstream(named('a'))
    await using x = await httpUpstream(named('x'))
    const nodes = await tokenWith('node', await shipped('node'))
    const at = async (server: ConsulServer, id: string, url: string, region: string): Promise<void> =>
      register(server, { service, id, url, region }, { Token: nodes }, nodes)
    await eventually(() => at(here, 'a', a.url, '610100'), 5000)
    await eventually(() => at(there, 'x', x.url, '620100'), 10_000)
    const start = async (token: string) => {
      const tokenFile = join(folder, 'token')
      await writeFile(tokenFile, token)
      return startTestGateway(
        [
          { code: '610100', nodes: {} },
          { code: '620100', nodes: {} },
        ],
        {
          home: { default: '610100', pathPrefix: '/r/{home}' },
          discovery: {
            driver: 'consul',
            address: here.url,
            tokenFile,
            datacenters: ['dc1', 'dc2'],
            timeoutMs: 1000,
            waitMs: 1000,
          },
        },
      )
    }
    const good = await tokenWith('gateway', await shipped('gateway'))
    await using edge = await start(good)
    await eventually(
      async () => expect([await answering(edge), await answering(edge, '/r/620100')]).toEqual([['a'], ['x']]),
      10_000,
    )
    await eventually(async () => expect((await readyz(edge)).warnings).toEqual([]), 5000)

    // Half of the rights show nothing, and that is said.
    const half = await tokenWith('half', 'service "chiyuan-node" { policy = "read" }')
    await using blind = await start(half)
    expect((await readyz(blind)).warnings).toEqual([
      expect.stringMatching(/^discovery: dc1 lists no chiyuan-node; .*may read that service and its nodes/),
      expect.stringMatching(/^discovery: dc2 lists no chiyuan-node/),
    ])
    // Given them, it sees, without a restart.
    await writeFile(join(folder, 'token'), good)
    await eventually(async () => expect(await answering(blind)).toEqual(['a']), 10_000)
  }, 60_000)
})
