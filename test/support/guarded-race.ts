// What must come of guarded changes that two gateways of one registry make at one moment, whichever registry that is.
import { expect, it } from '@jest/globals'
import type { Test } from 'supertest'
import { z } from 'zod'
import type { Registry } from '../../gateway/control/registry/port.ts'
import { regionId } from '../../gateway/model/ids.ts'
import type { Role } from '../../gateway/model/operator.ts'
import { activeEnrolment, putEnrolment } from './enrolments.ts'
import { eventually } from './eventually.ts'
import type { Api } from './operators.ts'
import { homeReads, nodeReads, reads } from './readings.ts'
import { openTwoPlanes, type TwoPlanes } from './two-planes.ts'
import { aNode, aRegion } from './values.ts'

const [xian, xianyang, lanzhou] = [regionId('610100'), regionId('610400'), regionId('620100')]
/** Each of two helps the other; the third is by itself. */
const regions = [
  aRegion('610100', { nodes: [aNode('xian-1')], neighbours: [xianyang] }),
  aRegion('610400', { nodes: [aNode('xianyang-1', { region: xianyang })], neighbours: [xian] }),
  aRegion('620100', { nodes: [aNode('lanzhou-1', { region: lanzhou })], neighbours: [] }),
]
const readings = reads(
  [nodeReads('xian-1'), nodeReads('xianyang-1', xianyang), nodeReads('lanzhou-1', lanzhou)],
  [homeReads(xian, 20), homeReads(xianyang, 20)],
)
const madeDrill = z.looseObject({ drill: z.looseObject({ id: z.string(), version: z.number() }) })

/** A kind of request by whoever may make it. Admins could overrule what nobody else may. */
interface Ask {
  readonly role: Role
  readonly of: (at: Api, token: string) => Test
}

const hold = (region: string): Ask => ({
  role: 'operator',
  of: (at, token) =>
    at.post('/holds', { kind: 'trip', region, reason: 'a test', seconds: 600, override: true }, token),
})

/** Drafts and previews it beforehand; what is asked is its start. */
async function drill({ one, token }: TwoPlanes, home: string): Promise<Ask> {
  const plan = {
    name: 'a drill',
    reason: 'a test',
    scope: { homes: [home], levels: ['local'] },
    fault: { kind: 'refuse' },
    cohort: 0.05,
    seconds: 60,
  }
  const drafted = z
    .looseObject({ id: z.string() })
    .parse((await one.post('/drills', plan, token).expect(201)).body)
  const previewed = await one.post(`/drills/${drafted.id}/preview`, {}, token).expect(200)
  const { version } = madeDrill.parse(previewed.body).drill
  return {
    role: 'drill-lead',
    of: (at, asker) =>
      at
        .post(`/drills/${drafted.id}/start`, { reason: 'now', override: true }, asker)
        .set('If-Match', `"${version}"`),
  }
}

/** Of the only donor that Lanzhou has. */
async function suspension({ one, two }: TwoPlanes): Promise<Ask> {
  const now = Date.now()
  const terms = { homes: [lanzhou], validUntil: now + 3_600_000 }
  await putEnrolment(
    one.registry,
    activeEnrolment(terms, now - 1_800_000, 'e1', {
      federation: { regions, enrolments: [] },
    }),
  )
  await one.directory.read()
  await two.directory.read()
  return {
    role: 'operator',
    of: (at, asker) =>
      at.post('/enrolments/e1/suspend', { reason: 'a test', override: true }, asker).set('If-Match', '*'),
  }
}

/** Both at once, each at a gateway of its own. */
async function race(planes: TwoPlanes, [first, second]: readonly [Ask, Ask]) {
  const { one, two } = planes
  const tokens = [await one.token(first.role), await one.token(second.role)] as const
  // Proving a token for the first time would keep the two apart.
  await one.get('/me', tokens[0]).expect(200)
  // The other gateway hears of it a moment later.
  await eventually(async () => void (await two.get('/me', tokens[1]).expect(200)))
  planes.meet()
  return Promise.all([first.of(one, tokens[0]), second.of(two, tokens[1])])
}

/** Declares the tests. @param open One more connection to the same fresh registry of this test. */
export function guardedRaces(open: () => () => Registry): void {
  it.each<{ what: string; asks: (planes: TwoPlanes) => Promise<readonly [Ask, Ask]>; says: RegExp }>([
    {
      what: 'two holds that leave nobody',
      asks: async () => [hold(xian), hold(xianyang)],
      says: /nobody|no level/,
    },
    {
      what: 'a drill and a hold that leave its cohort nobody',
      asks: async (planes) => [await drill(planes, xian), hold(xianyang)],
      says: /guards object/,
    },
    {
      what: 'an enrolment’s suspension and a hold that leave nobody',
      asks: async (planes) => [await suspension(planes), hold(lanzhou)],
      says: /nobody|no level/,
    },
    {
      what: 'two drills of one home',
      asks: async (planes) => [await drill(planes, xian), await drill(planes, xian)],
      says: /home-busy|another drill/,
    },
  ])('$what never both pass', async ({ asks, says }) => {
    await using planes = await openTwoPlanes(open(), regions, readings)
    const answers = await race(planes, await asks(planes))
    expect(answers.filter(({ status }) => status < 300)).toHaveLength(1)
    const refused = answers.find(({ status }) => status >= 300)
    expect([refused?.status, refused?.text]).toEqual([409, expect.stringMatching(says)])
    expect([...planes.one.faults, ...planes.two.faults]).toEqual([])
  })

  it('two that harm nobody both pass, the loser of the turn a moment later', async () => {
    await using planes = await openTwoPlanes(open(), [...regions, ...spare], readings)
    const answers = await race(planes, [hold('630100'), hold('630200')])
    expect(answers.map(({ status, text }) => (status === 201 ? status : text))).toEqual([201, 201])
  })
}

/** Nobody lives there, and nobody goes there. */
const spare = ['630100', '630200'].map((code) => aRegion(code, { nodes: [], neighbours: [] }))
