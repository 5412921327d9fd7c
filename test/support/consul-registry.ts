// Consul registries as tests open them: quick to notice, each test under a prefix of its own.
import { randomUUID } from 'node:crypto'
import { type ConsulPlace, openConsulRegistry } from '../../gateway/control/registry/consul/registry.ts'
import type { Registry } from '../../gateway/control/registry/port.ts'

export const freshPrefix = (): string => `test-${randomUUID()}/`

export const consulPlace = (address: string, changes: Partial<ConsulPlace> = {}): ConsulPlace => ({
  address,
  prefix: freshPrefix(),
  datacenter: null,
  tokenFile: null,
  token: null,
  caFile: null,
  certFile: null,
  keyFile: null,
  timeoutMs: 1000,
  waitMs: 1000,
  ...changes,
})

export const openAt = (address: string, changes: Partial<ConsulPlace> = {}): Registry =>
  openConsulRegistry(consulPlace(address, changes))
