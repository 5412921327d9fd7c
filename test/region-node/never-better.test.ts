// Whatever a node takes in, in whatever order, no colour is bettered by it: only home's authority could.
import { expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import request from 'supertest'
import { SYMPTOMS } from '../../region-node/declare.ts'
import { RESIDENT, startTestNode } from './running-node.ts'

const PEOPLE = [RESIDENT, 'R610100-000002', 'R610100-000026']
const SEVERITY: Record<string, number> = { green: 0, yellow: 1, red: 2 }

const someone = fc.constantFrom(...PEOPLE)
const time = fc
  .integer({ min: Date.UTC(2021, 11, 1), max: Date.UTC(2022, 1, 1) })
  .map((ms) => new Date(ms).toISOString())

const step = fc.oneof(
  fc.record({
    path: fc.constant('/v1/tests'),
    body: fc.record({
      residentId: someone,
      result: fc.constantFrom('negative', 'positive', 'pending'),
      sampledAt: time,
    }),
  }),
  fc.record({
    path: fc.constant('/v1/declarations'),
    body: fc.record({
      residentId: someone,
      symptoms: fc.subarray([...SYMPTOMS]),
      contact: fc.boolean(),
      visitedDivisions: fc.constant([]),
    }),
  }),
  fc.record({
    path: fc.constant('/v1/corrections'),
    body: fc.record({
      residentId: someone,
      subject: fc.constant('status'),
      statement: fc.constant('I am green'),
    }),
  }),
  fc.record({
    path: fc.constant('/v1/registrations'),
    body: fc.record({ residentId: someone, siteId: fc.constant('site-1'), registeredAt: time }),
  }),
)

async function coloursAt(url: string): Promise<number[]> {
  const answers = await Promise.all(PEOPLE.map((id) => request(url).get(`/v1/codes/${id}`).expect(200)))
  return answers.map(({ body }) => SEVERITY[body.status] ?? Number.NaN)
}

it.each([
  { name: 'at home', regionCode: '610100' },
  { name: 'at a backup', regionCode: '610400' },
])('no colour is ever bettered $name', async ({ regionCode }) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      await using node = await startTestNode({ regionCode, holds: ['610100'], residents: 30 })
      const before = await coloursAt(node.url)
      expect(before).toStrictEqual([1, 0, 2])
      // Together, as a crowd sends them: group commit must not mix them up.
      await Promise.all(
        steps.map(({ path, body }, nth) =>
          request(node.url).post(path).set('Idempotency-Key', `key-${nth}`).send(body),
        ),
      )
      const after = await coloursAt(node.url)
      for (const [nth, colour] of after.entries()) expect(colour).toBeGreaterThanOrEqual(before[nth] ?? 0)
    }),
    { numRuns: 25 },
  )
})
