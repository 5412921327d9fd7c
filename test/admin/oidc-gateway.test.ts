// A whole gateway with an identity provider: its tokens are taken on the admin listener, and none of them is logged.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, it } from '@jest/globals'
import { pino } from 'pino'
import { startGateway } from '../../gateway/compose.ts'
import { startTestGateway, testConfig } from '../support/gateway.ts'
import { Issuer, signingKey } from '../support/issuer.ts'
import { startWorkerGateway } from '../support/worker-gateway.ts'

it('lets in by its file, and says nothing of tokens in its log', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'chiyuan-oidc-'))
  try {
    await using issuer = await Issuer.start([await signingKey('first')])
    const roles = { 'gw-operator': 'operator' }
    const oidc = { issuer: issuer.url, audience: 'chiyuan', roles, scopeClaim: 'regions' }
    const regions = [{ code: '610100', nodes: { 'xian-1': 'http://127.0.0.1:9' } }]
    const config = testConfig(regions, dataDir, { admin: { api: true, oidc } })
    const log = new PassThrough()
    let said = ''
    log.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await using gateway = await startGateway(config, pino({ level: 'trace' }, log))
    const ask = (token: string) =>
      fetch(`http://127.0.0.1:${gateway.adminPort}/api/v1/me`, {
        headers: { authorization: `Bearer ${token}`, connection: 'close' },
      })
    const good = await issuer.token()
    expect(await (await ask(good)).json()).toMatchObject({ name: '王 值班', scope: ['610000'], by: 'oidc' })
    const tokens = [good, await issuer.token({ exp: 1 }), await issuer.token({ roles: [] }), `${good}x`]
    for (const token of tokens) await (await ask(token)).text()
    expect(said).not.toBe('')
    for (const token of [...tokens, 'subject-1', '王 值班']) expect(said).not.toContain(token)
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})

it('lets in where workers share the residents’ port, and stops as told', async () => {
  await using issuer = await Issuer.start([await signingKey('first')])
  const oidc = { issuer: issuer.url, audience: 'chiyuan', roles: { 'gw-operator': 'operator' }, scope: '*' }
  const regions = [{ code: '610100', nodes: { 'xian-1': 'http://127.0.0.1:9' } }]
  await using gateway = await startWorkerGateway(regions, { admin: { port: 0, oidc } })
  const token = await issuer.token()
  const answer = await fetch(`${gateway.adminUrl}/api/v1/me`, {
    headers: { authorization: `Bearer ${token}`, connection: 'close' },
  })
  expect(await answer.json()).toMatchObject({ name: '王 值班', by: 'oidc', scope: '*' })
  expect(JSON.stringify(gateway.log)).not.toContain(token)
  process.kill(gateway.pid, 'SIGTERM')
  expect(await gateway.exited).toEqual([0, null])
})

it('warns on /readyz of a provider that can’t be reached, and serves residents as before', async () => {
  await using issuer = await Issuer.start([await signingKey('first')])
  issuer.broken = { status: 500 }
  const oidc = { issuer: issuer.url, audience: 'chiyuan', roles: { 'gw-operator': 'operator' }, scope: '*' }
  const regions = [{ code: '610100', nodes: { 'xian-1': 'http://127.0.0.1:9' } }]
  await using gateway = await startTestGateway(regions, { admin: { api: true, oidc } })
  const ready = async () => {
    const answer = await fetch(`${gateway.adminUrl}/readyz`, { headers: { connection: 'close' } })
    expect(answer.status).toBe(200)
    return answer.json()
  }
  expect(await ready()).toEqual({ status: 'ready', warnings: [] })
  const headers = { authorization: `Bearer ${await issuer.token()}`, connection: 'close' }
  expect((await fetch(`${gateway.adminUrl}/api/v1/me`, { headers })).status).toBe(503)
  expect(await ready()).toEqual({
    status: 'ready',
    warnings: [expect.stringMatching(/^the identity provider’s keys can’t be had: .*answers 500$/)],
  })
})
