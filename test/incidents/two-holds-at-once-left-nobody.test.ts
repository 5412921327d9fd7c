// Two operators put holds on two regions at one moment. Each was judged without the other's, each was harmless, and
// together they left residents with nobody. The same came of two in a row, as the second was judged by what had been heard
// before the first, and at night, as a home to which nobody came just then was not looked at.
import { expect, it } from '@jest/globals'
import { openApi, threeCities, threeCitiesNodes } from '../support/operators.ts'
import { homeReads, reads } from '../support/readings.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'

const trip = (region: string) => ({ kind: 'trip', region, reason: 'a test', seconds: 600 })
const busy = reads(threeCitiesNodes, [homeReads('610100', 20)])
const idle = reads(threeCitiesNodes)

it.each([
  ['by day', busy],
  ['at night', idle],
])('the second is judged with the first in force, %s', async (_, readings) => {
  await using api = await openApi(threeCities, openEmbeddedRegistry(':memory:'), readings)
  const operator = await api.token('operator')
  const put = (region: string) => api.post('/holds', { ...trip(region), override: true }, operator)
  const answers = await Promise.all([put('610100'), put('610400')])
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409])
  const [refused] = answers.filter(({ status }) => status === 409)
  expect(refused?.body).toMatchObject({ type: 'urn:chiyuan:problem:guarded' })
  expect(refused?.body.guards).toContainEqual(expect.objectContaining({ guard: 'nobody-left', isHard: true }))
  const inRow = [await put('610100'), await put('610400')]
  expect(inRow.map(({ status }) => status).filter((status) => status === 409)).not.toEqual([])
  expect((await api.get('/holds')).body.items.map(({ region }: { region: string }) => region)).not.toEqual(
    expect.arrayContaining(['610100', '610400']),
  )
  expect(api.faults).toEqual([])
})
