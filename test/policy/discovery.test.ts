// What a catalogue's list makes of the federation, instance by instance and list by list.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { regionId } from '../../gateway/model/ids.ts'
import type { Region } from '../../gateway/model/region.ts'
import { codeNode } from '../../gateway/policy/code-node.ts'
import { nodeId } from '../../gateway/model/ids.ts'
import {
  type DiscoverySettings,
  foundNodes,
  type Instance,
  nothingFound,
  withFound,
} from '../../gateway/policy/discovery.ts'

const settings: DiscoverySettings = { drainMs: 1000, share: 1, trust: null }

const instance = (node: string, changes: Partial<Instance> = {}): Instance => ({
  serviceId: `chiyuan-node-${node}`,
  machine: 'm1',
  address: '10.0.0.1',
  port: 9101 + node.charCodeAt(0) - 97,
  meta: { region: '610100', node },
  health: 'passing',
  isUnreadable: false,
  ...changes,
})

const region = (code: string, nodes: Region['nodes'] = []): Region => ({
  code: regionId(code),
  name: { zh: code, en: code },
  tier: 'city',
  nodes,
  lends: { limitRps: Infinity, limitConcurrent: Infinity, homeReserve: 0 },
  neighbours: [],
  province: null,
  nation: null,
  servesOwn: true,
  discovers: true,
})

const idsOf = (found: { nodes: readonly { node: { id: string } }[] }): string[] =>
  found.nodes.map(({ node }) => node.id)

describe('an instance', () => {
  it('is a node by what its Meta says', () => {
    const meta = { region: '610100', node: 'xian-1', scheme: 'https', weight: '2.5', limit: '64' }
    const { nodes, warnings } = foundNodes([instance('x', { meta, port: 9101 })], nothingFound, 0, {
      ...settings,
      share: 0.5,
    })
    expect(warnings).toEqual([])
    expect(nodes[0]?.node).toMatchObject({
      id: 'xian-1',
      region: '610100',
      origin: 'https://10.0.0.1:9101',
      weight: 2.5,
      limit: 32,
      isEnrolled: true,
    })
  })

  it('that says only its region has its service id for a name, weight 1 and no limit', () => {
    const { nodes } = foundNodes([instance('a', { meta: { region: '610100' } })], nothingFound, 0, settings)
    expect(nodes[0]?.node).toMatchObject({ id: 'chiyuan-node-a', weight: 1, limit: Infinity })
  })

  it('may have an IPv6 address', () => {
    const { nodes } = foundNodes([instance('a', { address: 'fd00::1' })], nothingFound, 0, settings)
    expect(nodes[0]?.node.origin).toBe('http://[fd00::1]:9101')
  })

  it.each<[string, Partial<Instance>, string]>([
    ['no region', { meta: {} }, 'Meta region is ""'],
    ['a region that is none', { meta: { region: 'xian' } }, 'Meta region is "xian"'],
    ['a name that is none', { meta: { region: '610100', node: '../x' } }, 'Meta node is "../x"'],
    ['another scheme', { meta: { region: '610100', scheme: 'file' } }, 'Meta scheme is "file"'],
    ['no weight', { meta: { region: '610100', weight: '0' } }, 'Meta weight is "0"'],
    ['a weight beyond reason', { meta: { region: '610100', weight: '1e9' } }, 'Meta weight is "1e9"'],
    ['a limit below one', { meta: { region: '610100', limit: '-5' } }, 'Meta limit is "-5"'],
    ['no port', { port: 0 }, 'it has no port'],
    ['what nobody understands', { isUnreadable: true }, 'of no kind that can be used'],
    ['an address that is none', { address: 'a/b?c' }, 'its address is "a/b?c"'],
  ])('with %s is left out alone, and told why', (_, changes, why) => {
    const found = foundNodes([instance('bad', changes), instance('good')], nothingFound, 0, settings)
    expect(idsOf(found)).toEqual(['good'])
    expect(found.warnings).toEqual([expect.stringContaining(why)])
  })

  it('that takes another’s name is left out, whichever comes first in the list', () => {
    const twins = [instance('a'), instance('a', { machine: 'm2', address: '10.0.0.2' })]
    for (const list of [twins, twins.toReversed()]) {
      const found = foundNodes(list, nothingFound, 0, settings)
      expect(found.nodes.map(({ node }) => node.origin)).toEqual(['http://10.0.0.1:9101'])
      expect(found.warnings).toEqual([expect.stringContaining('listed twice')])
    }
  })
})

describe('a list', () => {
  const three = ['a', 'b', 'c'].map((node) => instance(node))

  it('that lost one drains it, and lets it go when its time is over', () => {
    const first = foundNodes(three, nothingFound, 0, settings)
    const second = foundNodes(three.slice(1), first, 100, settings)
    expect(second.nodes.find(({ node }) => node.id === 'a')?.goneSince).toBe(100)
    expect(idsOf(foundNodes(three.slice(1), second, 1099, settings)).sort()).toEqual(['a', 'b', 'c'])
    expect(idsOf(foundNodes(three.slice(1), second, 1100, settings)).sort()).toEqual(['b', 'c'])
    const back = foundNodes(three, second, 500, settings)
    expect(back.nodes.map(({ goneSince }) => goneSince)).toEqual([null, null, null])
  })

  it('that is suddenly empty, or nearly, is not believed', () => {
    const first = foundNodes(three, nothingFound, 0, settings)
    for (const left of [[], three.slice(2)]) {
      const next = foundNodes(left, first, 100, settings)
      expect(idsOf(next).sort()).toEqual(['a', 'b', 'c'])
      expect(next.nodes.every(({ goneSince }) => goneSince === null)).toBe(true)
      expect(next.warnings).toEqual([
        expect.stringContaining(`lists ${left.length} nodes where there were 3`),
      ])
      // However long it lasts.
      expect(idsOf(foundNodes(left, next, 1e9, settings)).sort()).toEqual(['a', 'b', 'c'])
    }
  })

  it('of as many others is', () => {
    const first = foundNodes(three, nothingFound, 0, settings)
    const next = foundNodes(
      ['d', 'e', 'f'].map((node) => instance(node)),
      first,
      100,
      settings,
    )
    expect(next.nodes.filter(({ goneSince }) => goneSince === null).map(({ node }) => node.id)).toEqual([
      'd',
      'e',
      'f',
    ])
  })

  it('never throws, never names a node twice, and never loses one that is listed and good', () => {
    const anyInstance = fc.record({
      serviceId: fc.string({ maxLength: 5 }),
      machine: fc.constantFrom('m1', 'm2'),
      address: fc.oneof(fc.constantFrom('10.0.0.1', 'fd00::1', 'host'), fc.string()),
      port: fc.integer({ min: 0, max: 65_535 }),
      meta: fc.dictionary(
        fc.constantFrom('region', 'node', 'weight', 'limit', 'scheme'),
        fc.oneof(fc.constantFrom('610100', 'a', '1', 'https'), fc.string()),
      ),
      isUnreadable: fc.boolean(),
      health: fc.constantFrom('passing' as const, 'critical' as const, 'maintenance' as const),
    })
    fc.assert(
      fc.property(fc.array(fc.array(anyInstance, { maxLength: 8 }), { maxLength: 5 }), (lists) => {
        let found = nothingFound
        for (const [i, list] of lists.entries()) {
          found = foundNodes(list, found, i * 400, settings)
          const ids = idsOf(found)
          expect(new Set(ids).size).toBe(ids.length)
        }
        const last = lists.at(-1) ?? []
        const alone = foundNodes(last, nothingFound, 0, settings)
        expect(idsOf(found)).toEqual(expect.arrayContaining(idsOf(alone)))
      }),
    )
  })
})

describe('the federation', () => {
  const own = codeNode({
    id: nodeId('own'),
    region: regionId('610100'),
    url: 'http://10.0.0.9:1',
    weight: 1,
    limit: Infinity,
    trust: null,
    isEnrolled: false,
  })
  const regions = [region('610100', [own]), region('610400')]
  const found = (list: readonly Instance[], before = nothingFound, at = 0) =>
    foundNodes(list, before, at, settings)
  const effectOf = (...all: ReturnType<typeof found>[]) => withFound(regions, all, 0, settings.drainMs)

  it('is untouched where nothing is found', () => {
    expect(effectOf(nothingFound).regions).toBe(regions)
  })

  it('has found nodes behind the file’s own', () => {
    const { regions: with3 } = effectOf(
      found([instance('a'), instance('b', { meta: { region: '610400', node: 'b' } })]),
    )
    expect(with3.map(({ nodes }) => nodes.map(({ id }) => id))).toEqual([['own', 'a'], ['b']])
  })

  it('has none whose name the file or another catalogue has already, nor of a region that is none of its own', () => {
    const one = found([
      instance('own'),
      instance('a'),
      instance('z', { meta: { region: '620100', node: 'z' } }),
    ])
    const { regions: with2, warnings } = effectOf(one, found([instance('a', { address: '10.9.9.9' })]))
    expect(with2[0]?.nodes.map(({ origin }) => origin)).toEqual(['http://10.0.0.9:1', 'http://10.0.0.1:9101'])
    expect(warnings).toEqual([
      expect.stringContaining('node own: there is a node of that name already'),
      expect.stringContaining('node z: the configuration has no region 620100'),
      expect.stringContaining('node a: there is a node of that name already'),
    ])
  })

  it('has none at an address that the file has, or of a region that wants none', () => {
    const twin = found([instance('a', { address: '10.0.0.9', port: 1 })])
    expect(effectOf(twin).regions[0]?.nodes.map(({ id }) => id)).toEqual(['own'])
    const closed = withFound(
      [{ ...region('610100', [own]), discovers: false }],
      [found([instance('a')])],
      0,
      1000,
    )
    expect(closed.regions[0]?.nodes.map(({ id }) => id)).toEqual(['own'])
    expect(closed.warnings).toEqual([expect.stringContaining('set discover: true there')])
  })

  it('drains what is in maintenance or gone, and doubts what is critical', () => {
    const list = [
      instance('a', { health: 'maintenance' }),
      instance('b', { health: 'critical' }),
      instance('c'),
      instance('d'),
    ]
    const before = found([...list, instance('e')])
    const { drains, suspects } = effectOf(found(list, before, 50))
    expect(drains.map(({ kind, scope }) => [kind, scope])).toEqual([
      ['drain', { node: 'a' }],
      ['drain', { node: 'e' }],
    ])
    expect([...suspects]).toEqual(['b'])
  })
})
