// What operators decide by the API reaches residents' traffic at once and drops nothing, in one process and in several.
import { expect, it } from '@jest/globals'
import { z } from 'zod'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { failed, startLoad } from '../support/load.ts'
import { callApi, tokenFor } from '../support/operator-token.ts'
import { httpUpstream, named } from '../support/upstream.ts'
import { startWorkerGateway } from '../support/worker-gateway.ts'

const madeHold = z.object({ id: z.string() })
const trip = { kind: 'trip', region: '610100', reason: 'drill', seconds: 600, override: true }
const regions = (home: string, neighbour: string) => [
  { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': home } },
  { code: '610400', nodes: { 'xianyang-1': neighbour } },
]

/** Trips the home region and ends that again, under load. */
async function tripAndEnd(url: string, adminUrl: string, token: string) {
  const load = startLoad(url, { ratePerSecond: 200 })
  await load.until(({ body }) => body === 'home', 50)
  const made = await callApi(adminUrl, token, 'POST', '/holds', trip)
  expect(made.status).toBe(201)
  const putAt = performance.now()
  const { id } = madeHold.parse(await made.json())
  const before = load.samples.length
  await load.until(({ body }) => body === 'neighbour')
  const shiftedMs = performance.now() - putAt
  await load.until(({ body }) => body === 'neighbour', 100)
  // Whatever came after the first hundred milliseconds went next door.
  const late = load.samples.slice(before + 40).filter(({ body }) => body === 'home')
  await callApi(adminUrl, token, 'DELETE', `/holds/${id}?reason=over`)
  const ended = load.samples.length
  await eventually(() => {
    expect(load.samples.slice(ended).some(({ body }) => body === 'home')).toBe(true)
  })
  return { shiftedMs, late: late.length, failed: failed(await load.stop()).length }
}

it('a region is tripped and taken back under load', async () => {
  await using home = await httpUpstream(named('home'))
  await using neighbour = await httpUpstream(named('neighbour'))
  await using edge = await startTestGateway(regions(home.url, neighbour.url), {
    admin: { port: 0, api: true },
    concurrency: { initial: 1000 },
  })
  const outcome = await tripAndEnd(edge.url, edge.adminUrl, edge.gateway.firstToken ?? '')
  expect(outcome).toMatchObject({ late: 0, failed: 0 })
  expect(outcome.shiftedMs).toBeLessThan(500)
})

it('so it is with several workers, which hear of it from the registry', async () => {
  await using home = await httpUpstream(named('home'))
  await using neighbour = await httpUpstream(named('neighbour'))
  await using gateway = await startWorkerGateway(regions(home.url, neighbour.url))
  const token = await tokenFor(gateway.dataDir)
  const outcome = await tripAndEnd(`http://127.0.0.1:${gateway.port}`, gateway.adminUrl, token)
  expect(outcome).toMatchObject({ late: 0, failed: 0 })
})

it('the mode is set over the file’s, and given back to it', async () => {
  await using home = await httpUpstream(named('home'))
  await using edge = await startTestGateway(regions(home.url, 'http://127.0.0.1:9'), {
    admin: { port: 0, api: true },
  })
  const token = edge.gateway.firstToken ?? ''
  const inForce = (mode: string) => edge.metric('chiyuan_mode', `mode="${mode}"`)
  await callApi(edge.adminUrl, token, 'PUT', '/mode', { mode: 'emergency', reason: 'crowd' })
  await eventually(async () => expect(await inForce('emergency')).toBe(1))
  // A reload of the file does not end what operators have decided.
  edge.gateway.reload(edge.config)
  expect(await inForce('emergency')).toBe(1)
  await callApi(edge.adminUrl, token, 'PUT', '/mode', { mode: null, reason: 'over' })
  await eventually(async () => expect(await inForce('peacetime')).toBe(1))
})
