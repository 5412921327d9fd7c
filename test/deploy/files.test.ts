// The files in config/deploy, held to what will read them: the product, Consul, systemd, and compose's own references.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { z } from 'zod'
import { loadConfig } from '../../config/load.ts'
import { catalogueEntries } from '../../gateway/control/registry/consul/catalogue.ts'
import { foundNodes, nothingFound } from '../../gateway/policy/discovery.ts'
import { regionNodeCommand } from '../../region-node/command.ts'
import { consulBinary, describeWithConsul } from '../support/consul.ts'

const deploy = fileURLToPath(new URL('../../config/deploy/', import.meta.url))
const run = promisify(execFile)
const analyze = '/usr/bin/systemd-analyze'
const withSystemd = existsSync(analyze)
if (!withSystemd) process.stderr.write(`UNITS ARE NOT VERIFIED: there is no ${analyze}\n`)

const service = z.looseObject({
  command: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  environment: z.record(z.string(), z.string()).default({}),
  healthcheck: z.unknown().optional(),
  read_only: z.boolean().optional(),
  stop_grace_period: z.string().optional(),
})
const compose = z.looseObject({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()),
})

describe('the compose file', () => {
  let file: z.output<typeof compose>
  beforeAll(async () => {
    const text = await readFile(join(deploy, 'docker-compose.yaml'), 'utf8')
    file = compose.parse(parse(text, { merge: true, version: '1.2' }))
  })

  const named = (start: string): string[] =>
    Object.keys(file.services).filter((name) => name.startsWith(start))

  it('has three Consul servers, two gateways, and five nodes of the regions that the gateways’ file names, which enter themselves', async () => {
    expect(named('consul-')).toEqual(['consul-1', 'consul-2', 'consul-3', 'consul-setup'])
    expect(named('gateway-')).toEqual(['gateway-1', 'gateway-2'])
    const { regions } = await loadConfig(join(deploy, 'compose/gateway.yaml'), {})
    const codes = regions.map(({ code }) => code)
    const nodes = Object.entries(file.services).filter(([, { command }]) => command[0] === 'region-node')
    expect(nodes.map(([name]) => name)).toEqual(['xian-1', 'xian-2', 'xianyang-1', 'weinan-1', 'shaanxi-1'])
    for (const [name, { command }] of nodes) {
      const after = (flag: string): string => command[command.indexOf(flag) + 1] ?? ''
      // By this the gateways find it, under the name that it answers to.
      expect([after('--name'), after('--consul-address')]).toEqual([name, name])
      expect(codes).toContain(after('--region'))
      expect(command).toEqual(expect.arrayContaining(['--consul', '--trust-list']))
      expect(after('--keys')).toBe(`/var/lib/chiyuan-keys/${after('--region')}`)
    }
  })

  it('waits for services that there are, and mounts files and volumes that there are', () => {
    const used = new Set<string>()
    for (const [name, { depends_on: waitsFor, volumes }] of Object.entries(file.services)) {
      for (const [other, { condition }] of Object.entries(waitsFor)) {
        expect(Object.keys(file.services)).toContain(other)
        if (other === 'consul-setup') expect(condition).toBe('service_completed_successfully')
      }
      for (const mount of volumes) {
        const [source = ''] = mount.split(':')
        if (source.startsWith('.')) expect([name, existsSync(join(deploy, source))]).toEqual([name, true])
        else used.add(source)
      }
    }
    expect([...used].toSorted()).toEqual(Object.keys(file.volumes).toSorted())
  })

  it('gives each gateway a Consul of its own, by variables that the product takes', async () => {
    const addresses = new Set<string>()
    for (const name of named('gateway-')) {
      const { registry, discovery } = await loadConfig(
        join(deploy, 'compose/gateway.yaml'),
        file.services[name]?.environment ?? {},
      )
      if (registry.driver !== 'consul' || discovery.driver !== 'consul') throw new Error('they share Consul')
      expect(discovery.address).toBe(registry.address)
      addresses.add(registry.address)
    }
    expect([...addresses]).toEqual(['http://consul-1:8500', 'http://consul-2:8500'])
  })

  it('gives its region nodes flags that there are', () => {
    const flags = new Set(regionNodeCommand().options.map(({ long }) => long))
    for (const { command } of Object.values(file.services)) {
      if (command[0] !== 'region-node') continue
      for (const word of command.filter((each) => each.startsWith('--'))) expect([...flags]).toContain(word)
    }
  })

  it('holds no secret, and runs what is ours without rights', async () => {
    for (const [name, one] of Object.entries(file.services)) {
      const secrets = Object.entries(one.environment).filter(
        ([key]) => /token|secret|key|pass/i.test(key) && !key.endsWith('_FILE'),
      )
      expect([name, secrets]).toEqual([name, []])
      if (!name.startsWith('consul')) expect([name, one.read_only]).toEqual([name, true])
    }
    const image = await readFile(join(deploy, 'Dockerfile'), 'utf8')
    const [, last = ''] = image.split(/^FROM [^\n]* AS build$/m)
    expect(last).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m)
    expect(last).toMatch(/^HEALTHCHECK /m)
  })
})

describe('gateways’ files', () => {
  it.each(['gateway.yaml', 'compose/gateway.yaml'])(
    '%s is good, and stops within its unit’s time',
    async (name) => {
      const config = await loadConfig(join(deploy, name), {})
      const unit = await readFile(join(deploy, 'systemd/chiyuan-gateway.service'), 'utf8')
      const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])
      expect(seconds * 1000).toBeGreaterThan(config.drainNoticeMs + config.drainTimeoutMs + 2000)
    },
  )
})

describeWithConsul('Consul’s files', () => {
  it.each(['server', 'client'])('of a %s are valid, with TLS, addresses and services', async (role) => {
    const files = [`${role}.hcl`, `tls-${role}.hcl`, 'addresses.hcl', 'services/chiyuan-node.hcl']
    const paths = [...files, 'services/chiyuan-gateway.hcl'].map((name) => join(deploy, 'consul', name))
    const { stdout } = await run(consulBinary ?? '', ['validate', '-config-format=hcl', ...paths])
    expect(stdout).toMatch(/valid/)
  })
})

it('Consul’s file of a node says in Meta what gateways read there', async () => {
  const text = await readFile(join(deploy, 'consul/services/chiyuan-node.hcl'), 'utf8')
  const [, block = ''] = /^ {2}meta = \{\n([^}]*)\}/m.exec(text) ?? []
  const Meta = Object.fromEntries(
    [...block.matchAll(/(\w+) *= "(.*)"/g)].map(([, key, value]) => [key, value]),
  )
  expect(Object.keys(Meta)).toEqual(['region', 'node', 'scheme', 'weight', 'limit'])
  const listed = catalogueEntries.parse([
    { Node: { Node: 'm', Address: '10.0.0.1' }, Service: { ID: 'x', Address: '', Port: 9101, Meta } },
  ])
  const { nodes, warnings } = foundNodes(listed, nothingFound, 0, { drainMs: 0, share: 1, trust: null })
  expect(warnings).toEqual([])
  expect(nodes[0]?.node).toMatchObject({ id: 'xian-1', region: '610100', weight: 1, limit: 64 })
})

const describeWithSystemd = withSystemd ? describe : describe.skip
describeWithSystemd('units', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chiyuan-units-'))
    await writeFile(join(folder, 'chiyuan'), '#!/bin/sh\n')
    await chmod(join(folder, 'chiyuan'), 0o755)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** The unit, with a command that is there on this machine too. */
  async function installed(name: string, as: string): Promise<string> {
    const text = await readFile(join(deploy, 'systemd', name), 'utf8')
    const path = join(folder, as)
    await writeFile(path, text.replaceAll('/usr/local/bin/chiyuan', join(folder, 'chiyuan')))
    return path
  }

  it.each([
    ['chiyuan-gateway.service', 'chiyuan-gateway.service'],
    ['chiyuan-region-node@.service', 'chiyuan-region-node@xian-1.service'],
  ])('%s is understood by systemd whole, and confined', async (name, as) => {
    const unit = await installed(name, as)
    const { stdout, stderr } = await run(analyze, ['verify', '--man=no', unit])
    // A setting that is not known is only warned of.
    expect(stdout + stderr).toBe('')
    // 0 is best and 10 worst; what a service has that says nothing of itself is above 9.
    await run(analyze, ['security', '--offline=true', '--threshold=25', '--no-pager', unit])
  })

  it('says when a setting is misspelt', async () => {
    const unit = await installed('chiyuan-gateway.service', 'misspelt.service')
    await writeFile(unit, (await readFile(unit, 'utf8')).replace('ProtectSystem', 'ProtectSytem'))
    const { stderr } = await run(analyze, ['verify', '--man=no', unit])
    expect(stderr).toMatch(/ProtectSytem/)
  })
})
