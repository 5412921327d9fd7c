// A Consul set up by config/deploy, as a site does it: three servers, the script, and what each token may and may not do.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { compareAndSet } from '../../gateway/control/registry/port.ts'
import { type ConsulServer, consulBinary, describeWithConsul, startCluster } from '../support/consul.ts'
import { openAt } from '../support/consul-registry.ts'
import { eventually } from '../support/eventually.ts'

const deploy = fileURLToPath(new URL('../../config/deploy/consul/', import.meta.url))
const run = promisify(execFile)

describeWithConsul('a Consul that config/deploy has set up', () => {
  let servers: readonly ConsulServer[] = []
  let consul: ConsulServer
  let folder: string
  const token: Record<string, string> = {}

  const setUp = () =>
    run(join(deploy, 'setup.sh'), [folder], {
      env: {
        ...process.env,
        PATH: `${dirname(consulBinary ?? '')}${delimiter}${process.env['PATH'] ?? ''}`,
        CONSUL_HTTP_ADDR: consul.url,
      },
    })
  const secretIn = async (file: string): Promise<string> =>
    (await readFile(join(folder, file), 'utf8')).trim()
  const status = async (who: string, method: string, path: string, body?: object): Promise<number> => {
    const answer = await consul.ask(method, path, body && JSON.stringify(body), token[who])
    await answer.arrayBuffer()
    return answer.status
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chiyuan-deploy-'))
    // As it is shipped, but for the folder.
    const shipped = await readFile(join(deploy, 'server.hcl'), 'utf8')
    servers = await startCluster(3, shipped.replace(/^data_dir.*$/m, ''))
    const [first] = servers
    if (first === undefined) throw new Error('three servers were started')
    consul = first
    // Access control is ready a moment after the leader is.
    await eventually(async () => void (await setUp()), 15_000)
    token['gateway'] = await secretIn('gateway/consul-token')
    token['node'] = await secretIn('node/consul-token')
    token['operator'] = await secretIn('operator/consul-token')
    token['agent'] = /agent = "(.+)"/.exec(await secretIn('agent/acl-agent.hcl'))?.[1] ?? ''
  }, 240_000)
  afterAll(async () => {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
    await rm(folder, { recursive: true, force: true })
  })

  const service = (Name: string) => ({ Name, ID: `${Name}-x`, Port: 1, Check: { TTL: '60s' } })

  it('keeps its secrets to whoever ran it, and leaves them as they are when it runs again', async () => {
    const files = ['management-token', 'agent/acl-agent.hcl', 'gateway/consul-token', 'gateway/resident.key']
    const before = await Promise.all(files.map(secretIn))
    const { stdout } = await setUp()
    expect(await Promise.all(files.map(secretIn))).toEqual(before)
    for (const file of files) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600)
    for (const secret of before) expect(stdout).not.toContain(secret)
    expect(await secretIn('gateway/resident.key')).toMatch(/^[0-9a-f]{64}$/)
  })

  it('lets a gateway keep records, hold a lock, register itself and find nodes', async () => {
    await using registry = openAt(consul.url, { prefix: 'chiyuan/', token: token['gateway'] ?? '' })
    expect((await compareAndSet(registry, 'intent/probe', 1, 0)).ok).toBe(true)
    expect((await registry.list('intent/', { limit: 5 })).length).toBe(1)
    expect((await compareAndSet(registry, 'intent/probe', null, 1)).ok).toBe(true)

    const made = await consul.ask(
      'PUT',
      '/session/create',
      JSON.stringify({ TTL: '10s', Behavior: 'release', LockDelay: '0s' }),
      token['gateway'],
    )
    expect(made.status).toBe(200)
    const { ID } = z.object({ ID: z.string() }).parse(await made.json())
    expect(await status('gateway', 'PUT', `/kv/chiyuan/locks/x?acquire=${ID}`)).toBe(200)
    expect(await status('gateway', 'PUT', `/session/renew/${ID}`)).toBe(200)
    expect(await status('gateway', 'PUT', `/session/destroy/${ID}`)).toBe(200)

    expect(await status('gateway', 'PUT', '/agent/service/register', service('chiyuan-gateway'))).toBe(200)
    expect(await status('gateway', 'PUT', '/agent/check/pass/service:chiyuan-gateway-x')).toBe(200)
    expect(await status('node', 'PUT', '/agent/service/register', service('chiyuan-node'))).toBe(200)
    expect(await status('node', 'PUT', '/agent/check/pass/service:chiyuan-node-x')).toBe(200)
    for (const name of ['chiyuan-node', 'chiyuan-gateway']) {
      await eventually(async () => {
        const found = await consul.ask('GET', `/health/service/${name}?passing`, undefined, token['gateway'])
        expect(z.array(z.unknown()).parse(await found.json())).toHaveLength(1)
      }, 10_000)
    }
    expect(await status('gateway', 'PUT', '/agent/service/deregister/chiyuan-gateway-x')).toBe(200)
    expect(await status('node', 'PUT', '/agent/service/deregister/chiyuan-node-x')).toBe(200)
  })

  it.each([
    ['gateway', 'PUT', '/kv/other/k'],
    ['gateway', 'GET', '/kv/other/k'],
    ['gateway', 'GET', '/acl/tokens'],
    ['gateway', 'GET', '/operator/raft/configuration'],
    ['gateway', 'GET', '/snapshot'],
    ['node', 'GET', '/kv/chiyuan/access/k'],
    ['node', 'PUT', '/kv/chiyuan/access/k'],
    ['node', 'PUT', '/session/create'],
    ['operator', 'GET', '/kv/chiyuan/access/k'],
    ['operator', 'PUT', '/kv/chiyuan/access/k'],
    ['operator', 'PUT', '/agent/leave'],
    ['operator', 'GET', '/acl/tokens'],
    ['agent', 'GET', '/kv/chiyuan/access/k'],
    ['agent', 'PUT', '/session/create'],
  ])('refuses the %s token: %s %s', async (who, method, path) => {
    expect(await status(who, method, path)).toBe(403)
  })

  it.each([
    ['gateway', 'chiyuan-node'],
    ['node', 'chiyuan-gateway'],
    ['node', 'anything-else'],
    ['operator', 'chiyuan-node'],
    ['agent', 'chiyuan-node'],
  ])('lets no %s token register as %s', async (who, name) => {
    expect(await status(who, 'PUT', '/agent/service/register', service(name))).toBe(403)
  })

  it('shows an operator the servers, and the agents keep their entries', async () => {
    expect(await status('operator', 'GET', '/operator/raft/configuration')).toBe(200)
    expect(await status('operator', 'GET', '/agent/members')).toBe(200)
    const nodes = await consul.ask('GET', '/catalog/nodes', undefined, token['operator'])
    expect(z.array(z.unknown()).parse(await nodes.json())).toHaveLength(3)
    const entry = { Node: 'machine-1', Address: '127.0.0.1' }
    expect(await status('agent', 'PUT', '/catalog/register', entry)).toBe(200)
  })
})
