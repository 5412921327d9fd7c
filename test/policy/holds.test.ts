// Several people's holds on one node: the one that spares it most counts, and ending one's own ends nobody else's.
import { expect, it } from '@jest/globals'
import { holdSteps, nodeHolds } from '../../gateway/policy/holds.ts'
import { regionId } from '../../gateway/model/ids.ts'
import { aHold } from '../support/holds.ts'
import { aNode } from '../support/values.ts'

const nodes = [aNode('xian-1'), aNode('xian-2'), aNode('xianyang-1', { region: regionId('610400') })]
const kinds = (...holds: Parameters<typeof nodeHolds>[1]) =>
  Object.fromEntries([...nodeHolds(nodes, holds)].map(([id, { kind }]) => [id, kind]))
const onRegion = (id: string, kind: 'trip' | 'drain' | 'bypass', code: string) =>
  aHold(id, kind, 1000, { id, scope: { region: regionId(code) } })

it('nothing is held without holds', () => {
  expect(kinds()).toEqual({})
})

it('a region’s hold lies on each of its nodes', () => {
  expect(kinds(onRegion('a', 'drain', '610100'))).toEqual({ 'xian-1': 'drain', 'xian-2': 'drain' })
})

it('of two the stronger counts, wherever it was put and in whatever order', () => {
  const region = onRegion('a', 'bypass', '610100')
  const node = aHold('xian-1', 'trip', 1000)
  const drained = aHold('xian-1', 'drain', 1000, { id: 'c' })
  for (const holds of [
    [region, node, drained],
    [drained, node, region],
    [node, region, drained],
  ]) {
    expect(kinds(...holds)).toEqual({ 'xian-1': 'trip', 'xian-2': 'bypass' })
  }
  expect(kinds(region, drained)).toEqual({ 'xian-1': 'drain', 'xian-2': 'bypass' })
})

it('names all that lie on a node, the one that counts first', () => {
  const held = nodeHolds(nodes, [onRegion('a', 'drain', '610100'), aHold('xian-1', 'trip', 5)])
  expect(held.get(aNode('xian-1').id)?.holds.map(({ id }) => id)).toEqual(['hold-xian-1', 'a'])
})

it('a hold on what is not there lies on nothing', () => {
  expect(kinds(aHold('gone-1', 'trip', 1000), onRegion('b', 'trip', '999999'))).toEqual({})
})

it('tells what became of each hold', () => {
  const held = (id: string, expiresAt: number) => aHold('xian-1', 'trip', expiresAt, { id })
  const [kept, ended, expired, renewed] = [held('h1', 500), held('h2', 500), held('h3', 90), held('h4', 500)]
  const put = aHold('xian-2', 'drain', 500, { id: 'h5' })
  const longer = { ...renewed, expiresAt: 900 }
  expect(holdSteps([kept, ended, expired, renewed], [kept, longer, put], 100)).toEqual([
    { hold: ended, step: 'ended' },
    { hold: expired, step: 'expired' },
    { hold: longer, step: 'changed' },
    { hold: put, step: 'put' },
  ])
})
