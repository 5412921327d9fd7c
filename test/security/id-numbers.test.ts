// An ID card's number ends at the gateway: real processes, a generated resident, and everything that was sent, written
// or told is searched for it.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { z } from 'zod'
import { syntheticCitizenNumber } from '../../region-node/tokens/synthetic-number.ts'
import { runChiyuan, spawnNode, temporaryFolder } from '../region-node/running-node.ts'
import { commandGateway } from '../support/command-gateway.ts'
import { eventually } from '../support/eventually.ts'
import { relayTo } from '../support/relay.ts'

const REGION = '610100'
const card = syntheticCitizenNumber(0, REGION)
const relative = syntheticCitizenNumber(1, REGION)
const stranger = syntheticCitizenNumber(5_000, REGION)
const misread = `${card.slice(0, 17)}${card.endsWith('1') ? '2' : '1'}`

// Whatever is left of a number would be found by its birth date and order.
const traces = [card, relative, stranger].map((number) => number.slice(4, 17))

const person = z.object({ residentToken: z.string(), status: z.string() })

let folder: ReturnType<typeof temporaryFolder>
let pepperFile: string
let dataFile: string

beforeAll(async () => {
  folder = temporaryFolder()
  pepperFile = folder.file('pepper.json')
  dataFile = folder.file('610100.db')
  await runChiyuan('subject-tokens', 'create-pepper', pepperFile)
  const wanted = ['--region', REGION, '--count', '50', '--data', dataFile, '--pepper', pepperFile]
  const made = await runChiyuan('residents', 'generate', ...wanted)
  expect(made.stdout).toContain(card)
})

afterAll(() => folder[Symbol.dispose]())

it('and a generated resident is served by it everywhere, through a rotation of peppers too', async () => {
  await using node = await spawnNode('--data', dataFile, '--region', REGION, '--notice-ms', '0')
  await using wire = await relayTo(node.port)
  await using gateway = await commandGateway(
    {
      logLevel: 'debug',
      home: { default: REGION },
      tokens: { pepperFile, drill: true },
      regions: [{ code: REGION, name: { zh: '西安', en: 'Xian' }, nodes: [{ id: 'xian-1', url: wire.url }] }],
    },
    {},
  )
  let told = ''
  const ask = async (path: string, init: RequestInit = {}): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(gateway.url + path, init)
    const text = await answer.text()
    told += text + JSON.stringify([...answer.headers])
    return { status: answer.status, body: JSON.parse(text) }
  }
  const send = (path: string, body: object, key: string) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    })
  await eventually(async () => expect((await ask(`/v1/codes/${card}`)).status).toBe(200), 5000)

  const code = await ask(`/v1/codes/${card}`)
  const { residentToken } = person.parse(code.body)
  expect(residentToken).toMatch(/^[\w-]{22}$/)
  expect((await ask(`/v1/credentials/${card}`)).body).toMatchObject({ residentToken })

  const tested = { residentId: card, result: 'positive', sampledAt: '2022-02-01T00:00:00Z' }
  const receipt = await send('/v1/tests', tested, 'test-1')
  expect(receipt).toMatchObject({ status: 201, body: { residentToken, status: 'red' } })
  expect((await ask(`/v1/codes/${card}`)).body).toMatchObject({ residentToken, status: 'red' })
  expect((await ask(`/v1/tests/${card}?limit=1`)).body).toMatchObject({
    residentToken,
    tests: [{ result: 'positive' }],
  })
  expect((await send('/v1/verifications', { residentId: card }, 'x')).body).toMatchObject({
    valid: true,
    residentToken,
    status: 'red',
  })
  const registration = { residentId: card, siteId: 'site-1', registeredAt: '2022-02-01T00:00:00Z' }
  expect((await send('/v1/registrations', registration, 'registration-1')).status).toBe(201)
  expect((await ask(`/v1/registrations/${card}`)).body).toMatchObject({ residentToken })
  const declaration = { residentId: card, symptoms: [], contact: false, visitedDivisions: [] }
  expect((await send('/v1/declarations', declaration, 'declaration-1')).status).toBe(201)
  expect((await ask(`/v1/declarations/${card}`)).body).toMatchObject({ residentToken })
  const correction = { residentId: card, subject: 'status', statement: 'The test was another’s.' }
  expect((await send('/v1/corrections', correction, 'correction-1')).status).toBe(201)
  expect((await send('/v1/paper-codes', { residentId: card }, 'paper-1')).body).toMatchObject({
    residentTokens: [residentToken],
  })
  const family = { residentId: card, memberIds: [relative, card] }
  const familyCode = await send('/v1/family-codes', family, 'family-1')
  expect(familyCode.body).toMatchObject({ residentTokens: [residentToken, expect.any(String)] })
  expect((await send('/v1/loss-reports', { residentId: card }, 'loss-1')).status).toBe(201)

  expect((await ask(`/v1/codes/${stranger}`)).status).toBe(404)
  expect((await ask(`/v1/codes/${misread}`)).status).toBe(422)
  expect((await send('/v1/tests', { ...tested, residentId: misread }, 'test-2')).status).toBe(422)
  expect((await ask(`/v1/elsewhere/${card}`)).status).toBe(400)

  // He still stands under the old epoch's token, and what was sent before is known again.
  await runChiyuan('subject-tokens', 'rotate-pepper', pepperFile)
  gateway.hangUp()
  await eventually(async () => {
    await ask(`/v1/codes/${card}`)
    expect(wire.heard).toMatch(new RegExp(`/v1/codes/t\\.[\\w-]{22}\\.${residentToken} `))
  }, 5000)
  expect((await ask(`/v1/codes/${card}`)).body).toMatchObject({ residentToken })
  expect((await send('/v1/tests', tested, 'test-1')).body).toStrictEqual(receipt.body)
  expect((await send('/v1/family-codes', family, 'family-1')).body).toStrictEqual(familyCode.body)

  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  expect(metrics).toContain('chiyuan_refusals_total{reason="document-number"} 2')
  node.child.kill('SIGTERM')
  const nodeSaid = await node.stdout
  const written = readdirSync(dirname(dataFile)).map((name) =>
    readFileSync(join(dirname(dataFile), name), 'latin1'),
  )
  expect(wire.heard).toContain(`GET /v1/codes/t.${residentToken} HTTP/1.1`)
  expect(gateway.said).toContain('reloaded')
  for (const trace of traces) {
    for (const place of [wire.heard, gateway.said, metrics, nodeSaid, told, ...written]) {
      expect(place.includes(trace)).toBe(false)
    }
  }
}, 60_000)
