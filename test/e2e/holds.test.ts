// An operator's decision in the registry reaches residents' traffic at once, and ends with its lease.
import { expect, it } from '@jest/globals'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { aHold, putHold } from '../support/holds.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream, named } from '../support/upstream.ts'

it('a node tripped by another process is left within 100 ms, and taken back when the lease ends', async () => {
  await using home = await httpUpstream(named('home'))
  await using neighbour = await httpUpstream(named('neighbour'))
  await using edge = await startTestGateway([
    { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': home.url } },
    { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
  ])
  const ask = async (): Promise<string> => (await fetch(`${edge.url}/v1/codes/R1`)).text()
  expect(await ask()).toBe('home')
  // Its own connection to the file: what another process would have.
  await using elsewhere = openEmbeddedRegistry(`${edge.config.dataDir}/chiyuan.db`)
  const putAt = performance.now()
  await putHold(elsewhere, aHold('xian-1', 'trip', Date.now() + 700))
  while ((await ask()) !== 'neighbour');
  expect(performance.now() - putAt).toBeLessThan(500)
  while ((await ask()) !== 'home');
  expect(performance.now() - putAt).toBeGreaterThan(650)
})

it('a bypass sends residents to a node that probes call down', async () => {
  await using home = await httpUpstream(
    (request, response) => {
      response.statusCode = request.url === '/healthz' ? 500 : 200
      response.end('home')
    },
    { seesProbes: true },
  )
  await using neighbour = await httpUpstream(named('neighbour'))
  await using edge = await startTestGateway([
    { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': home.url } },
    { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
  ])
  const ask = async (): Promise<string> => (await fetch(`${edge.url}/v1/codes/R1`)).text()
  while ((await ask()) !== 'neighbour');
  await putHold(edge.gateway.registry, aHold('xian-1', 'bypass', Date.now() + 60_000))
  while ((await ask()) !== 'home');
})

it('probes that call every node down are doubted: requests go on', async () => {
  await using home = await httpUpstream(
    (request, response) => {
      response.statusCode = request.url === '/healthz' ? 404 : 200
      response.end('home')
    },
    { seesProbes: true },
  )
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': home.url } }])
  while ((await edge.metric('chiyuan_node_up', 'node="xian-1",region="610100"')) !== 0);
  for (let i = 0; i < 10; i++) expect((await fetch(`${edge.url}/v1/codes/R${i}`)).status).toBe(200)
})
