// What an operator may write about where nodes are found, and what is said of what is wrong there.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from '@jest/globals'
import { parseConfig } from '../../config/load.ts'

const run = promisify(execFile)
const cli = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))

const file = (discovery: string): string => `${discovery}
home: { default: '610100' }
regions:
  - { code: '610100', name: { zh: 西安, en: Xian }, neighbours: ['610400'], nodes: [] }
  - { code: '610400', name: { zh: 咸阳, en: Xianyang }, nodes: [] }
`
const discoveryOf = (discovery: string) => parseConfig(file(discovery), 'f.yaml').discovery

it('is a catalogue where no region lists a node, and nowhere unless something is said', () => {
  expect(discoveryOf('discovery: { driver: consul, datacenters: [dc1, dc2] }')).toEqual({
    driver: 'consul',
    address: 'http://127.0.0.1:8500',
    service: 'chiyuan-node',
    datacenters: ['dc1', 'dc2'],
    timeoutMs: 5000,
    waitMs: 10_000,
    drainMs: 60_000,
  })
  expect(() => discoveryOf('mode: peacetime')).toThrow(/no region has a node; .*or set discovery/)
})

it.each([
  ['driver: dns', 'discovery.driver', 'it must be one of: none, consul'],
  ['service: nodes', 'discovery.service', 'it goes with driver: consul'],
  ['driver: consul, service: "a b"', 'discovery.service', 'a name of a service'],
  ['driver: consul, datacenters: [dc1, dc1]', 'discovery.datacenters', 'name each datacentre once'],
  ['driver: consul, datacenters: ["dc 1"]', 'discovery.datacenters[0]', 'a name of a Consul datacentre'],
  ['driver: consul, address: "https://h:1", certFile: c', 'discovery.keyFile', 'are given together'],
  ['driver: consul, caFile: c', 'discovery.caFile', 'use https:// there'],
  [
    'driver: consul, tls: { clientCertificate: ours }',
    'discovery.tls.clientCertificate',
    'not listed under clientCertificates',
  ],
])('%s: %s', (fields, field, message) => {
  expect(() => discoveryOf(`discovery: { ${fields} }`)).toThrow(
    expect.objectContaining({
      problems: expect.arrayContaining([
        expect.objectContaining({ field, message: expect.stringContaining(message) }),
      ]),
    }),
  )
})

it('is taken by `chiyuan config check`', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chiyuan-test-'))
  try {
    const path = join(folder, 'f.yaml')
    await writeFile(path, file('discovery: { driver: consul }'))
    const { stdout } = await run(process.execPath, [cli, 'config', 'check', path])
    expect(stdout).toBe(`${path}: good: 2 regions, 0 nodes, others in the catalogue\n`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
