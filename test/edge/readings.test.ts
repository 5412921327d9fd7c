// What a gateway tells of itself is what its residents met.
import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { readingsSchema } from '../../gateway/admin/schemas/readings.ts'
import { version } from '../../gateway/model/version.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream, named } from '../support/upstream.ts'

it('counts a home’s requests by level, its failures, and each node’s part', async () => {
  await using home = await httpUpstream(named('home'))
  await using neighbour = await httpUpstream((request, response) => {
    response.statusCode = request.url === '/broken' ? 500 : 200
    response.end()
  })
  await using edge = await startTestGateway([
    { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': home.url } },
    { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
  ])
  for (let i = 0; i < 10; i++) await (await fetch(`${edge.url}/v1/codes/R${i}`)).text()
  await home.close()
  await eventually(async () => {
    const { nodes } = await edge.gateway.measured.read()
    expect(nodes.find(({ node }) => node === 'xian-1')?.health).toBe('down')
  }, 10_000)
  for (let i = 0; i < 10; i++) await (await fetch(`${edge.url}/v1/codes/R${i}`)).text()
  await (await fetch(`${edge.url}/broken`)).text()
  const told = await edge.gateway.measured.read()
  expect(readingsSchema.parse(JSON.parse(JSON.stringify(told)))).toEqual(told)
  const [reading] = told.homes
  const rate = reading?.rps ?? 0
  expect(rate).toBeGreaterThan(0)
  const share = (level: string): number =>
    (reading?.byLevel.find((one) => one.level === level)?.rps ?? 0) / rate
  expect(share('local')).toBeCloseTo(10 / 21, 5)
  expect(share('neighbour')).toBeCloseTo(11 / 21, 5)
  expect((reading?.errorsPerSecond ?? 0) / rate).toBeCloseTo(1 / 21, 5)
  const [local, lent] = told.nodes
  expect(local).toMatchObject({ node: 'xian-1', serving: 'unhealthy', inFlight: 0 })
  expect(local?.healthDetail).not.toBe('')
  expect(lent).toMatchObject({ node: 'xianyang-1', serving: 'ok', limitBasis: 'unproven', knownLimit: null })
  expect(lent?.meanMs).toBeGreaterThan(0)
  expect(lent?.rps).toBeGreaterThan(0)
  expect(told.gateway).toMatchObject({ mode: 'peacetime', workers: { ready: 1, of: 1, missing: [] } })
})

it('the version is the package’s', () => {
  expect(JSON.parse(readFileSync('package.json', 'utf8'))).toMatchObject({ version })
})
