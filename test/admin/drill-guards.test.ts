// Guards of drills by the API, and of all guarded changes where two gateways share a registry.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { Response } from 'supertest'
import { z } from 'zod'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import type { Readings } from '../../gateway/model/readings.ts'
import { activeEnrolment, putEnrolment } from '../support/enrolments.ts'
import { guardedRaces } from '../support/guarded-race.ts'
import { type Api, openApi, threeCities, threeCitiesNodes } from '../support/operators.ts'
import { homeReads, nodeReads, reads } from '../support/readings.ts'
import { calm } from '../support/two-planes.ts'

describe('at two gateways of one registry file', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'chiyuan-guards-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  guardedRaces(() => () => openEmbeddedRegistry(join(directory, 'registry.db')))
})

const residents = [homeReads('610100', 100)]
const wellRead = reads(threeCitiesNodes, residents)
const open = (readings: Readings = wellRead): Promise<Api> =>
  openApi(threeCities, openEmbeddedRegistry(':memory:'), readings, undefined, calm)

const seen = z.looseObject({
  drill: z.looseObject({ id: z.string(), version: z.number() }),
  radius: z.looseObject({ nodes: z.record(z.string(), z.array(z.string())) }),
  preview: z.looseObject({ differences: z.looseObject({ homes: z.array(z.unknown()) }) }),
})

interface Planned {
  readonly scope?: object
  readonly fault?: object
  readonly cohort?: number
}

/** Drafts and previews. @returns What starts it, and what was foreseen. */
async function planned(api: Api, { scope = {}, fault = { kind: 'refuse' }, cohort = 0.02 }: Planned = {}) {
  const drafted = await api.post('/drills', {
    name: 'a drill',
    reason: 'a test',
    scope: { homes: ['610100'], nodes: ['xian-1'], ...scope },
    fault,
    cohort,
    seconds: 60,
  })
  const { id } = z.looseObject({ id: z.string() }).parse(drafted.body)
  const previewed = await api.asDocumented(
    'post',
    '/drills/{id}/preview',
    await api.post(`/drills/${id}/preview`, {}),
  )
  const foreseen = seen.parse(previewed.body)
  const version = foreseen.drill.version
  const start = async (body: object): Promise<Response> =>
    api.asDocumented(
      'post',
      '/drills/{id}/start',
      await api.post(`/drills/${id}/start`, body).set('If-Match', `"${version}"`),
    )
  return { id, foreseen, start, previewed }
}

const ill = nodeReads('xianyang-1', '610400', { health: 'down' })
const cases: readonly {
  readonly name: string
  readonly readings?: Readings
  readonly before?: (api: Api) => Promise<unknown>
  readonly says: RegExp
}[] = [
  {
    name: 'emergency',
    before: (api) => api.put('/mode', { mode: 'emergency', reason: 'a flood' }, '*').expect(200),
    says: /emergency/,
  },
  {
    name: 'incident',
    readings: reads(
      threeCitiesNodes.map((one) => (one.node === 'xianyang-1' ? ill : one)),
      residents,
    ),
    says: /incident \(610100 xianyang-1\)/,
  },
  {
    name: 'wait-period',
    before: async (api) => {
      const { id, start } = await planned(api)
      expect((await start({ reason: 'first' })).status).toBe(200)
      await api.post(`/drills/${id}/stop`, { reason: 'enough' }).set('If-Match', '*').expect(200)
    },
    says: /wait-period \(610100\): found \d+(\.\d+)?, bound 600000/,
  },
]

it.each(cases)('$name is objected to, and overruled by name and reason alone', async (one) => {
  await using api = await open(one.readings)
  await one.before?.(api)
  const { id, start } = await planned(api)
  const refused = await start({ reason: 'now' })
  expect([refused.status, refused.text]).toEqual([409, expect.stringMatching(one.says)])
  expect((await start({ override: true })).status).toBe(422)
  const begun = await start({ reason: 'the minister asks', override: true })
  expect([begun.status, begun.text]).toEqual([200, expect.stringContaining(`"overruled":["${one.name}"]`)])
  const audit = await api.get('/audit?limit=50')
  expect(audit.body).toMatchObject({
    items: expect.arrayContaining([
      expect.objectContaining({
        action: 'drill.start',
        target: `drills/${id}`,
        reason: 'the minister asks',
        actor: expect.objectContaining({ name: 'first admin' }),
        outcome: 'done',
      }),
    ]),
  })
})

it('what would leave no level is refused with the numbers, whoever asks and whatever the cohort', async () => {
  await using api = await open()
  const all = { nodes: ['xian-1', 'xian-2', 'xianyang-1', 'lanzhou-1'], levels: ['local', 'neighbour'] }
  const { start, previewed } = await planned(api, { scope: all, cohort: 0.01 })
  const numbers = { name: 'nobody-left', isHard: true, home: '610100', found: 0, bound: 2 }
  expect(previewed.body).toMatchObject({
    objections: expect.arrayContaining([expect.objectContaining(numbers)]),
  })
  const refused = await start({ reason: 'now', override: true })
  expect([refused.status, refused.text]).toEqual([
    409,
    expect.stringMatching(/nobody-left \(610100\): found 0, bound 2.*sheds \(610100\): found 1, bound 0/),
  ])
  expect(refused.body).toMatchObject({
    objections: expect.arrayContaining([expect.objectContaining(numbers)]),
  })
})

it('a donor that is enrolled is in scope and in what is foreseen', async () => {
  await using api = await open()
  const now = Date.now()
  const terms = { validUntil: now + 3_600_000 }
  await putEnrolment(api.registry, activeEnrolment(terms, now - 1_800_000))
  await api.directory.read()
  const { foreseen } = await planned(api, { scope: { nodes: [], regions: ['610600'] } })
  expect(foreseen.radius.nodes).toEqual({ 610100: ['yanan-1'] })
  // Without Xi’an and Xianyang it is the one that is left.
  const { previewed } = await planned(api, {
    scope: { nodes: ['xian-1', 'xian-2', 'xianyang-1'] },
    cohort: 0.1,
  })
  expect(previewed.text).toContain('"levels-left"')
  expect(previewed.text).not.toContain('"name":"nobody-left"')
})

it.each([
  { fault: { kind: 'latency', ms: 100, jitterMs: 0 }, warning: 'foreseen-slower' },
  { fault: { kind: 'errors', share: 0.05, status: 503 }, warning: 'foreseen-retried' },
  { fault: { kind: 'errors', share: 1, status: 503 }, warning: 'foreseen-gone' },
])('says what it takes $fault for: $warning', async ({ fault, warning }) => {
  await using api = await open()
  const { previewed, foreseen } = await planned(api, { fault, scope: { levels: ['local'] }, cohort: 0.5 })
  expect(previewed.body).toMatchObject({
    warnings: expect.arrayContaining([warning]),
    words: { [warning]: { zh: expect.any(String), en: expect.any(String) } },
  })
  expect(foreseen.preview.differences.homes.length).toBe(warning === 'foreseen-slower' ? 0 : 1)
})
