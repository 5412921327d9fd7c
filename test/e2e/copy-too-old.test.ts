// Home dies and its donor's copy grows older than agreed: residents are told to come again, and are never shown a code
// from it. A real home and donor that replicate, behind a real gateway.
import { expect, it, jest } from '@jest/globals'
import type { RegionNode } from '../../region-node/main.ts'
import {
  agreementsFile,
  DONOR,
  HOME,
  patienceMs,
  peerUrl,
  readyFor,
  startDonor,
  startHome,
} from '../region-node/replication/federation.ts'
import { temporaryFolder } from '../region-node/running-node.ts'
import { eventually as eventuallyWithin } from '../support/eventually.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

jest.setTimeout(60_000)

const eventually = (check: () => void | Promise<void>): Promise<void> => eventuallyWithin(check, patienceMs)

const gatewayOf = (home: RegionNode, donor: RegionNode): Promise<TestGateway> =>
  startTestGateway(
    [
      { code: HOME, neighbours: [DONOR], nodes: { 'xian-1': home.url } },
      { code: DONOR, nodes: { 'xianyang-1': donor.url } },
    ],
    { home: { default: HOME, header: 'x-home' }, health: { path: '/readyz' } },
  )

it('the donor stands in while its copy is young enough, then refuses, and home heals all', async () => {
  using folder = temporaryFolder()
  const agreements = await agreementsFile('too-old', { rpoSeconds: 1, maxAgeSeconds: 4 })
  const dataFile = folder.file('home.db')
  const home = await startHome(agreements, { dataFile })
  await using donor = await startDonor(peerUrl(home))
  await readyFor(donor)
  await using gateway = await gatewayOf(home, donor)
  const ask = (resident: string) =>
    fetch(`${gateway.url}/v1/codes/${resident}`, { headers: { 'x-home': resident.slice(1, 7) } })
  const codeOf = async (resident: string): Promise<unknown> => {
    const answer = await ask(resident)
    expect(answer.status).toBe(200)
    return answer.json()
  }
  const tries = async (): Promise<number> => {
    const kinds = ['first', 'retry', 'hedge'].map((kind) =>
      gateway.metric('chiyuan_attempts_started_total', `node="xianyang-1",kind="${kind}"`),
    )
    return (await Promise.all(kinds)).reduce((sum, count) => sum + count, 0)
  }
  const notReadyHomes = () =>
    gateway.metric('chiyuan_node_not_ready_homes', `node="xianyang-1",region="${DONOR}"`)
  const resident = `R${HOME}-000002`

  await eventually(async () => expect(await codeOf(resident)).toMatchObject({ issuer: HOME }))
  await home.close()
  await eventually(async () => expect(await codeOf(resident)).toMatchObject({ issuer: DONOR }))

  await eventually(async () => expect(await notReadyHomes()).toBe(1))
  const before = await tries()
  for (let i = 0; i < 5; i += 1) {
    const answer = await ask(resident)
    expect(answer.status).toBe(503)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  }
  expect(await tries()).toBe(before)
  // For its own residents it is as good as ever.
  expect(await codeOf(`R${DONOR}-000002`)).toMatchObject({ issuer: DONOR })

  await using back = await startHome(agreements, {
    dataFile,
    port: home.port,
    peerPort: home.peerPort ?? 0,
  })
  await eventually(async () => expect(await codeOf(resident)).toMatchObject({ issuer: HOME }))
  await eventually(async () => expect(await notReadyHomes()).toBe(0))
  // And it is a backup again.
  await back.close()
  await eventually(async () => expect(await codeOf(resident)).toMatchObject({ issuer: DONOR }))
})
