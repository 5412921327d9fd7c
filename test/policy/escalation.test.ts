// The levels of a home: nearest first, each region once, none without nodes.
import { expect, it } from '@jest/globals'
import { regionId } from '../../gateway/model/ids.ts'
import type { Region } from '../../gateway/model/region.ts'
import { escalate } from '../../gateway/policy/escalation.ts'
import { blameOf, outcomeOfStatus } from '../../gateway/policy/outcome.ts'
import { aRegion } from '../support/values.ts'

const names = (home: Region, others: readonly Region[]): string[] =>
  escalate(home, new Map([home, ...others].map((region) => [region.code, region]))).levels.map(
    (level) => `${level.name} ${level.region}`,
  )

const xianyang = aRegion('610400')
const weinan = aRegion('610500')
const shaanxi = aRegion('610000', { tier: 'province' })
const nation = aRegion('100000', { tier: 'nation' })
const xian = aRegion('610100', {
  neighbours: [weinan.code, xianyang.code],
  province: shaanxi.code,
  nation: nation.code,
})

it('goes local, neighbours as agreed, province, nation', () => {
  expect(names(xian, [xianyang, weinan, shaanxi, nation])).toEqual([
    'local 610100',
    'neighbour 610500',
    'neighbour 610400',
    'province 610000',
    'nation 100000',
  ])
})

it('leaves out regions without nodes and regions that are gone', () => {
  expect(names(xian, [{ ...weinan, nodes: [] }, shaanxi])).toEqual(['local 610100', 'province 610000'])
})

it('lets a region stand once, at its nearest place', () => {
  const doubled = { ...xian, neighbours: [shaanxi.code, xian.code, shaanxi.code] }
  expect(names(doubled, [shaanxi, nation])).toEqual(['local 610100', 'neighbour 610000', 'nation 100000'])
})

it('has no levels where nobody can serve', () => {
  expect(names({ ...xian, nodes: [], code: regionId('610900') }, [])).toEqual([])
})

it.each([
  [200, 'success'],
  [304, 'success'],
  [404, 'success'],
  [418, 'success'],
  [429, 'neutral'],
  [501, 'success'],
  [508, 'success'],
  [500, 'failure'],
  [503, 'failure'],
])('status %d is a %s of the node', (status, blame) => {
  expect(blameOf(outcomeOfStatus(status, false))).toBe(blame)
})

it('a node that says when to come back has not failed', () => {
  expect(outcomeOfStatus(503, true)).toBe('refused')
  expect(outcomeOfStatus(500, true)).toBe('error-status')
})

it.each(['connect-failed', 'timeout', 'reset', 'protocol'] as const)(
  '%s is a failure of the node',
  (outcome) => {
    expect(blameOf(outcome)).toBe('failure')
  },
)

it('what was abandoned says nothing about the node', () => {
  expect(blameOf('abandoned')).toBe('neutral')
})
