// Every operation of the API's own document: who is let in, what other methods get, and no request that makes it fail.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import request from 'supertest'
import { roles } from '../../gateway/model/operator.ts'
import { putOver } from '../support/drill-reports.ts'
import { type Api, Document, openApi } from '../support/operators.ts'
import { listOperations, pathFor, type DocumentedRequest, requestsOf } from '../support/operation-requests.ts'

/** So many requests of each operation; the seed is fixed, so that a run can be repeated. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 60)
const seed = Number(process.env['FUZZ_SEED'] ?? 610_100)

jest.setTimeout(60_000 + numRuns * 2000)

let api: Api
let operations: DocumentedRequest[]
const met = new Set<string>()

beforeAll(async () => {
  api = await openApi()
  operations = listOperations(await new Document(api.app).load())
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const send = (method: string, path: string, token: string | null) => {
  const test = request(api.app)[verb(method)](`/api/v1${path}`)
  return token === null ? test : test.set('Authorization', `Bearer ${token}`)
}

const verbs = ['get', 'post', 'put', 'patch', 'delete', 'options', 'trace'] as const
const verb = (method: string): (typeof verbs)[number] => verbs.find((name) => name === method) ?? 'get'

it('are documented in number', () => {
  expect(operations.length).toBeGreaterThan(12)
})

it('each answer 401 to whoever has no token, and say how to get in', async () => {
  for (const { method, path } of operations) {
    const answer = await send(method, pathFor(path), null)
    expect([method, path, answer.status]).toEqual([method, path, 401])
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="chiyuan"')
    await api.asDocumented(method, path, answer)
  }
})

it('each answer 403 to every role that the document does not name, and never to one that it names', async () => {
  for (const role of roles) {
    const token = await api.token(role)
    for (const { method, path, allowed, isStream } of operations) {
      if (isStream && allowed.includes(role)) continue
      // Ended sessions and the like are no matter here: only whether the role is let through to be judged further.
      const answer = await send(method, pathFor(path), token)
      const refused = answer.status === 403 && /takes one of the roles/.test(answer.text)
      expect([role, method, path, refused]).toEqual([role, method, path, !allowed.includes(role)])
      await api.asDocumented(method, path, answer)
    }
  }
})

it('each answer 405 to other methods, and name those that there are', async () => {
  const byPath = Map.groupBy(operations, ({ path }) => path)
  for (const [path, there] of byPath) {
    for (const method of verbs) {
      if (there.some((operation) => operation.method === method)) continue
      const answer = await send(method, pathFor(path), api.admin)
      expect([method, path, answer.status]).toEqual([method, path, 405])
      const named = (answer.headers['allow'] ?? '').split(', ').filter((name: string) => name !== 'HEAD')
      expect(named.toSorted()).toEqual(there.map((operation) => operation.method.toUpperCase()).toSorted())
    }
  }
})

describe('fuzzed by its own document', () => {
  it('never fails, shows no stack, and answers as it says', async () => {
    const admin = api.admin
    const ids: string[] = []
    for (let i = 0; i < 5; i++) {
      const hold = { kind: 'drain', node: 'xian-1', reason: 'there to be found', seconds: 86_400 }
      ids.push((await api.post('/holds', hold).expect(201)).body.id)
      ids.push((await api.token('viewer')).split('_')[1] ?? '')
    }
    // By a name that the requests try wherever any text will do.
    await putOver(api, { drill: 'xian-1' })
    for (const operation of operations.filter(({ isStream }) => !isStream)) {
      await fc.assert(
        fc.asyncProperty(requestsOf(operation, ids), async ({ path, query, headers, body }) => {
          const sent = send(operation.method, path, admin).query(query).set(headers)
          const answer = await (body === undefined ? sent : sent.type('application/json').send(body))
          expect(answer.status).not.toBe(500)
          expect(answer.text ?? '').not.toMatch(/\bat \S+ \(|node:internal|node_modules|\.ts:\d/)
          met.add(`${operation.method} ${operation.path} ${String(answer.status)[0]}`)
          // A path that decodes to another one is another resource, or none.
          if (answer.status === 404 && /is not answered at this path/.test(answer.text)) return
          await api.asDocumented(operation.method, operation.path, answer)
        }),
        { numRuns, seed },
      )
    }
    expect(api.faults).toEqual([])
    // It must not only knock at closed doors.
    const closed = operations
      .map(({ method, path }) => `${method} ${path}`)
      .filter((name) => !met.has(`${name} 2`))
    // The steps of an enrolment take one that has come so far.
    expect(closed.length).toBeLessThan(operations.length / 2)
    await api.get('/me').expect(200)
  })
})
