// The registry on a Consul agent that speaks TLS and asks for our certificate.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { ServerOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { compareAndSet, type Registry } from '../../gateway/control/registry/port.ts'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { openAt } from '../support/consul-registry.ts'
import { eventually } from '../support/eventually.ts'
import { slowProxy } from '../support/slow-proxy.ts'

describeWithConsul('a registry over TLS', () => {
  let server: ConsulServer
  let folder: string
  let tls: ServerOptions
  beforeAll(async () => {
    server = await startConsul()
    folder = await mkdtemp(join(tmpdir(), 'chiyuan-consul-tls-'))
    for (const name of ['agent', 'us', 'stranger']) {
      const made = ['-keyout', join(folder, `${name}-key.pem`), '-out', join(folder, `${name}.pem`)]
      const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
      const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1']
      await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...names, ...made])
    }
    const [key, cert, ca] = await Promise.all(
      ['agent-key.pem', 'agent.pem', 'us.pem'].map((name) => readFile(join(folder, name))),
    )
    tls = { key, cert, ca, requestCert: true, rejectUnauthorized: true }
  }, 240_000)
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const openAs = (url: string, ca: string, own: string | null): Registry =>
    openAt(url, {
      caFile: join(folder, `${ca}.pem`),
      certFile: own === null ? null : join(folder, `${own}.pem`),
      keyFile: own === null ? null : join(folder, `${own}-key.pem`),
    })

  it('reads, writes and watches with its own certificate', async () => {
    await using agent = await slowProxy(server.port, tls)
    await using registry = openAs(agent.url, 'agent', 'us')
    expect((await compareAndSet(registry, 'k', 1, 0)).ok).toBe(true)
    let changed = 0
    registry.watch(
      () => (changed += 1),
      () => {},
    )
    await eventually(() => expect(changed).toBe(1))
    await compareAndSet(registry, 'k', 2, 1)
    await eventually(() => expect(changed).toBe(2))
  })

  it.each([
    { name: 'asks no agent whose certificate it does not trust', ca: 'stranger', own: 'us' },
    { name: 'is let in by its certificate only', ca: 'agent', own: null },
    { name: 'is not let in by a stranger’s', ca: 'agent', own: 'stranger' },
  ])('$name', async ({ ca, own }) => {
    await using agent = await slowProxy(server.port, tls)
    await using registry = openAs(agent.url, ca, own)
    await expect(registry.list('')).rejects.toThrow(/Consul at https:\/\/127\.0\.0\.1:\d+ can't be/)
    expect(agent.requests).toBe(0)
  })

  it('names a file that can’t be read', () => {
    expect(() => openAt('https://127.0.0.1:1', { caFile: '/nowhere/ca.pem' })).toThrow(
      /registry\.caFile: ENOENT.*name a PEM file that can be read/,
    )
  })
})
