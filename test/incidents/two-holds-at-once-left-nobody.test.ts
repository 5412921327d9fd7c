// Two operators put holds on two regions at one moment. Each was judged without the other's, each was harmless, and
// together they left residents with nobody. The same came of two in a row, as the second was judged by what had been heard
// before the first, and at night, as a home to which nobody came just then was not looked at.
import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { openApi } from '../support/operators.ts'
import { homeReads, nodeReads, reads } from '../support/readings.ts'
import { aNode, aRegion } from '../support/values.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { regionId } from '../../gateway/model/ids.ts'
import type { Registry } from '../../gateway/control/registry/port.ts'

const trip = (region: string) => ({ kind: 'trip', region, reason: 'a test', seconds: 600 })
const xian = regionId('610100')
const xianyang = regionId('610400')
/** Each helps the other. */
const twoCities = [
  aRegion('610100', { nodes: [aNode('xian-1')], neighbours: [xianyang] }),
  aRegion('610400', { nodes: [aNode('xianyang-1', { region: xianyang })], neighbours: [xian] }),
]
const nodes = [nodeReads('xian-1'), nodeReads('xianyang-1', '610400')]

/** As one over a network: between a decision and its being there, others decide. */
function slowRegistry(): Registry {
  const registry = openEmbeddedRegistry(':memory:')
  return {
    list: (prefix, page) => registry.list(prefix, page),
    read: (key) => registry.read(key),
    commit: (changes) => pause(50).then(() => registry.commit(changes)),
    watch: (changed, lost) => registry.watch(changed, lost),
    lock: (name, holder) => registry.lock(name, holder),
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  }
}

const busy = reads(nodes, [homeReads('610100', 20)])
const idle = reads(nodes)

it.each([
  ['by day', busy],
  ['at night', idle],
])('the second is judged with the first in force, %s', async (_, readings) => {
  await using api = await openApi(twoCities, slowRegistry(), readings)
  const operator = await api.token('operator')
  // Proving a token for the first time would keep the two apart.
  await api.get('/me', operator).expect(200)
  const put = (region: string) => api.post('/holds', { ...trip(region), override: true }, operator)
  const answers = await Promise.all([put('610100'), put('610400')])
  expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['201', '409'])
  const refused = answers.find(({ status }) => status === 409)
  expect(refused?.body).toMatchObject({ type: 'urn:chiyuan:problem:guarded' })
  expect(refused?.body.guards).toContainEqual(expect.objectContaining({ guard: 'nobody-left', isHard: true }))
  const [{ id }] = (await api.get('/holds')).body.items
  await api.delete(`/holds/${id}?reason=over`, '*').expect(204)
  await put('610100').expect(201)
  await put('610400').expect(409)
  expect(api.faults).toEqual([])
})
