// The contract at /openapi.json against what the node really answers: every operation, every status that it names.
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import request from 'supertest'
import { z } from 'zod'
import { startRegionNode } from '../../region-node/main.ts'
import type { RegionNode } from '../../region-node/main.ts'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { peerWorld } from './replication/peer-world.ts'
import { RESIDENT, startTestNode, temporaryFolder } from './running-node.ts'
import { signingWorld } from './signing-world.ts'
import { letTerminalIn } from './terminal.ts'

const contractSchema = z.looseObject({
  openapi: z.string(),
  paths: z.record(
    z.string(),
    z.record(z.string(), z.looseObject({ responses: z.record(z.string(), z.unknown()) })),
  ),
})

const TIME = '2022-01-04T09:00:00+08:00'
const TOKEN = syntheticToken(RESIDENT)
const ID = 'R610100-000002'

/** A good body of each operation that takes one. */
const BODIES: Record<string, object> = {
  '/v1/verifications': { residentId: RESIDENT },
  '/v1/tests': { residentId: RESIDENT, result: 'negative', sampledAt: TIME },
  '/v1/registrations': { residentId: RESIDENT, siteId: 'site-1', registeredAt: TIME },
  '/v1/declarations': { residentId: ID, symptoms: ['fever'], contact: false, visitedDivisions: [] },
  '/v1/corrections': { residentId: RESIDENT, subject: 'status', statement: 'it is wrong' },
  '/v1/paper-codes': { residentId: RESIDENT },
  '/v1/family-codes': { residentId: RESIDENT, memberIds: [ID] },
  '/v1/loss-reports': { residentId: ID },
  '/v1/id-cards/lookups': { subjectTokens: [TOKEN, syntheticToken('nobody'), 'no token'] },
}

const folder = temporaryFolder()
let node: RegionNode
let backup: RegionNode
let copyless: RegionNode
let broken: RegionNode
let keyless: RegionNode
let bearer: string
let contract: z.infer<typeof contractSchema>
let keys = 0
const answered = new Set<string>()
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats.default(ajv)

beforeAll(async () => {
  const dataFile = folder.file('node.db')
  node = await startTestNode({ dataFile })
  backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
  const world = await signingWorld()
  const losses = world.write('losses.jws', await world.revocations('610100', Date.now()))
  // Nothing listens there, so it never has a copy.
  const follow = [{ region: '610100', urls: ['https://127.0.0.1:1'] }]
  copyless = await startTestNode({
    regionCode: '610400',
    follow,
    revocationLists: [losses],
    peer: await (await peerWorld()).filesOf('610400'),
  })
  bearer = letTerminalIn(dataFile)
  broken = await startTestNode({ dataFile: folder.file('broken.db') })
  keyless = await startRegionNode({ port: 0, residents: 20 })
  using db = new DatabaseSync(folder.file('broken.db'))
  db.exec('PRAGMA foreign_keys = OFF')
  for (const table of [
    'test',
    'registration',
    'statement',
    'resident',
    'holding',
    'answer',
    'terminal',
    'carried_code',
  ]) {
    db.exec(`DROP TABLE ${table}`)
  }
  contract = contractSchema.parse((await request(node.url).get('/openapi.json')).body)
  ajv.addSchema(contract, 'node')
})

afterAll(async () => {
  await Promise.all([node, backup, copyless, broken, keyless].map((each) => each.close()))
  folder[Symbol.dispose]()
})

/** Checks one answer against what the contract says of its operation and status. */
function held(method: string, path: string, answer: request.Response): void {
  const operation = contract.paths[path]?.[method]
  const name = `${method} ${path} ${answer.status}`
  expect([name, Object.keys(operation?.responses ?? {})]).toStrictEqual([
    name,
    expect.arrayContaining([String(answer.status)]),
  ])
  const type = answer.headers['content-type'] ?? ''
  const pointer = ['paths', path, method, 'responses', String(answer.status), 'content', type, 'schema']
  const encoded = pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
  const validate = ajv.compile({ $ref: `node#/${encoded.join('/')}` })
  validate(type === 'application/jose' ? answer.text : answer.body)
  expect([name, validate.errors ?? []]).toStrictEqual([name, []])
  answered.add(name)
}

const post = (url: string, path: string, body: object | string = BODIES[path] ?? {}) =>
  request(url)
    .post(path)
    .set('Content-Type', 'application/json')
    .set('Idempotency-Key', `key-${(keys += 1)}`)
    .auth(bearer, { type: 'bearer' })
    .send(body)

const postPaths = Object.keys(BODIES)
const homePaths = [
  '/v1/declarations',
  '/v1/corrections',
  '/v1/paper-codes',
  '/v1/family-codes',
  '/v1/loss-reports',
]
const residentPaths = [
  '/v1/codes',
  '/v1/credentials',
  '/v1/tests',
  '/v1/registrations',
  '/v1/declarations',
  '/v1/corrections',
]
const trustPaths = ['/v1/jwks', '/v1/trust-root', '/v1/trust-list', '/v1/revocation-lists']

describe('what the node answers is what its contract says', () => {
  it.each(postPaths)('to POST %s, good and bad', async (path) => {
    held('post', path, await post(node.url, path))
    held('post', path, await post(node.url, path, { unknown: 1 }))
    held('post', path, await post(node.url, path, '{'))
    held('post', path, await post(node.url, path, `"${'x'.repeat(70_000)}"`))
    held('post', path, await post(node.url, path).set('Content-Type', 'text/plain').send('x'))
    held('post', path, await post(broken.url, path))
    // A backup that has nothing yet asks for another node; not of cards, of which each is answered for itself.
    if (path !== '/v1/id-cards/lookups') held('post', path, await post(copyless.url, path))
    if ('residentId' in (BODIES[path] ?? {})) {
      held('post', path, await post(node.url, path, { ...BODIES[path], residentId: 'nobody' }))
    }
  })

  it('to a repeat, to a key used again, to a key that is none', async () => {
    const send = (key: string, siteId: string) =>
      post(node.url, '/v1/registrations', { ...BODIES['/v1/registrations'], siteId }).set(
        'Idempotency-Key',
        key,
      )
    for (const siteId of ['a', 'a', 'b']) held('post', '/v1/registrations', await send('same', siteId))
    held('post', '/v1/registrations', await send('two words', 'a'))
  })

  it.each(homePaths)('to POST %s at a backup', async (path) => {
    held('post', path, await post(backup.url, path))
  })

  it('to a code, good and forged', async () => {
    const { code } = (await request(node.url).get(`/v1/codes/${RESIDENT}`)).body
    for (const shown of [code, `${code}x`]) {
      const asked = { code: shown, checkpointId: 'gate-1' }
      held('post', '/v1/verifications', await post(node.url, '/v1/verifications', asked))
    }
  })

  it('to a code on paper and of a family, good, of unknown losses, without a copy, and lost', async () => {
    const paper = await post(node.url, '/v1/paper-codes', { residentId: ID })
    const family = await post(node.url, '/v1/family-codes', { residentId: ID, memberIds: [RESIDENT] })
    const shown = async (url: string, code: string): Promise<string | undefined> => {
      const verified = await post(url, '/v1/verifications', { code })
      held('post', '/v1/verifications', verified)
      return verified.body.reason
    }
    const codes = [paper.body.code, family.body.code]
    for (const code of codes) expect(await shown(node.url, code)).toBeUndefined()
    for (const code of codes) expect(await shown(backup.url, code)).toBe('list-too-old')
    for (const code of codes) await shown(copyless.url, code)
    await post(node.url, '/v1/loss-reports', { residentId: ID })
    for (const code of codes) expect(await shown(node.url, code)).toBe('lost')
  })

  it('to a terminal that it does not know', async () => {
    const path = '/v1/id-cards/lookups'
    held('post', path, await post(node.url, path).auth('nobody', { type: 'bearer' }))
  })

  it.each(residentPaths)('to GET %s/{residentId}', async (folderPath) => {
    const path = `${folderPath}/{residentId}`
    await post(node.url, '/v1/registrations')
    held('get', path, await request(node.url).get(`${folderPath}/${RESIDENT}`))
    held('get', path, await request(backup.url).get(`${folderPath}/${RESIDENT}`))
    held('get', path, await request(copyless.url).get(`${folderPath}/${RESIDENT}`))
    held('get', path, await request(node.url).get(`${folderPath}/nobody`))
    held('get', path, await request(node.url).get(`${folderPath}/a.b`))
    held('get', path, await request(broken.url).get(`${folderPath}/${RESIDENT}`))
  })

  it.each(['/healthz', '/load', '/readyz', '/openapi.json'])('to GET %s', async (path) => {
    held('get', path, await request(node.url).get(path))
  })

  it.each(trustPaths)('to GET %s', async (path) => {
    held('get', path, await request(node.url).get(path))
    held('get', path, await request(keyless.url).get(path))
  })

  it('to GET /readyz for a home that is none', async () => {
    held('get', '/readyz', await request(node.url).get('/readyz?home=x'))
  })

  it('to GET /readyz of a node that is not ready', async () => {
    held('get', '/readyz', await request(broken.url).get('/readyz'))
  })

  it('and nothing that the contract says is left unseen', () => {
    const promised = Object.entries(contract.paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { responses }]) =>
        Object.keys(responses).map((status) => `${method} ${path} ${status}`),
      ),
    )
    expect(promised.filter((name) => !answered.has(name))).toStrictEqual([])
    expect(promised.length).toBeGreaterThan(50)
  })
})

describe('/openapi.json', () => {
  it('is OpenAPI 3.1, may be cached, and resolves every reference', async () => {
    const { body, headers } = await request(node.url).get('/openapi.json')
    expect(body.openapi).toMatch(/^3\.1\./)
    expect(headers['cache-control']).toBe('public, max-age=300')
    const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)]
    expect(references.length).toBeGreaterThan(10)
    for (const [, name = ''] of references) expect(body.components.schemas).toHaveProperty(name)
    expect(JSON.stringify(body)).not.toContain('$defs')
  })

  it('refuses, as the node does, fields that a request does not have', async () => {
    const { paths } = (await request(node.url).get('/openapi.json')).body
    for (const path of postPaths) {
      const { schema } = paths[path].post.requestBody.content['application/json']
      expect([path, schema.additionalProperties]).toStrictEqual([path, false])
      expect(ajv.validate(schema, BODIES[path])).toBe(true)
      expect(ajv.validate(schema, { ...BODIES[path], unknown: 1 })).toBe(false)
    }
  })

  it('says which operations need a key, and which a terminal', async () => {
    const { paths } = (await request(node.url).get('/openapi.json')).body
    const needKey = postPaths.filter((path) =>
      paths[path].post.parameters?.some(
        ({ name, required }: { name: string; required: boolean }) => name === 'Idempotency-Key' && required,
      ),
    )
    expect(needKey).toStrictEqual(['/v1/registrations', ...homePaths])
    const needTerminal = postPaths.filter((path) => paths[path].post.security)
    expect(needTerminal).toStrictEqual(['/v1/id-cards/lookups'])
  })
})
