// What an operator may write about the registry, and what is said of what is wrong there.
import { expect, it } from '@jest/globals'
import { parseConfig } from '../../config/load.ts'
import { backUp } from '../../gateway/compose/state.ts'

const file = (registry: string): string => `${registry}
home: { default: '610100' }
regions:
  - { code: '610100', name: { zh: 西安, en: Xian }, nodes: [{ id: a, url: 'http://127.0.0.1:1' }] }
`
const registryOf = (registry: string, env = {}) => parseConfig(file(registry), 'f.yaml', env).registry

const consul = {
  driver: 'consul',
  address: 'http://127.0.0.1:8500',
  prefix: 'chiyuan/',
  timeoutMs: 5000,
  waitMs: 10_000,
  quotaShares: { leaseSeconds: 300, roundMs: 1000 },
}

it('is a file unless something else is said', () => {
  expect(registryOf('mode: peacetime')).toEqual({ driver: 'embedded' })
  expect(registryOf('registry: { file: ./x.db }')).toEqual({ driver: 'embedded', file: './x.db' })
})

it('is Consul by file or by environment', () => {
  expect(registryOf('registry: { driver: consul }')).toEqual(consul)
  const env = {
    CHIYUAN_REGISTRY__DRIVER: 'consul',
    CHIYUAN_REGISTRY__ADDRESS: 'https://consul.example:8501',
    CHIYUAN_REGISTRY__TOKEN_FILE: '/run/token',
  }
  expect(registryOf('mode: peacetime', env)).toEqual({
    ...consul,
    address: 'https://consul.example:8501',
    tokenFile: '/run/token',
  })
})

it.each([
  ['driver: etcd', 'registry.driver', 'it must be one of: embedded, consul'],
  ['address: http://127.0.0.1:8500', 'registry.address', 'it goes with driver: consul'],
  ['driver: consul, file: x.db', 'registry.file', 'it goes with driver: embedded'],
  ['driver: consul, adress: x', 'registry.adress', 'did you mean address?'],
  ['driver: consul, address: "http://[::1]:8500"', 'registry.address', 'a name or an IPv4 address'],
  ['driver: consul, address: "http://user:secret@h:1"', 'registry.address', 'a name or an IPv4 address'],
  ['driver: consul, address: "http://h:1/v1"', 'registry.address', 'a name or an IPv4 address'],
  ['driver: consul, prefix: chiyuan', 'registry.prefix', 'ends in a slash'],
  ['driver: consul, prefix: /', 'registry.prefix', 'ends in a slash'],
  ['driver: consul, waitMs: 10', 'registry.waitMs', 'at least 1000'],
  ['driver: consul, address: "https://h:1", certFile: c', 'registry.keyFile', 'are given together'],
  ['driver: consul, caFile: c', 'registry.caFile', 'use https:// there'],
])('%s: %s', (fields, field, message) => {
  expect(() => registryOf(`registry: { ${fields} }`)).toThrow(
    expect.objectContaining({
      problems: [expect.objectContaining({ field, message: expect.stringContaining(message) })],
    }),
  )
})

it('a backup of Consul is Consul’s', async () => {
  const config = parseConfig(file('registry: { driver: consul }'), 'f.yaml')
  await expect(backUp(config, '/nowhere', () => {})).rejects.toThrow(/consul snapshot save FILE/)
})
