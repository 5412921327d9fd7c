// What a catalogue's list makes of the federation, instance by instance and list by list.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { regionId } from '../../gateway/model/ids.ts'
import type { Region } from '../../gateway/model/region.ts'
import { codeNode } from '../../gateway/policy/code-node.ts'
import { nodeId } from '../../gateway/model/ids.ts'
import type { Instance } from '../../gateway/policy/catalogue-node.ts'
import {
  type DiscoverySettings,
  foundNodes,
  mostNodes,
  mostWarnings,
  nothingFound,
  withFound,
} from '../../gateway/policy/discovery.ts'

const settings: DiscoverySettings = { drainMs: 1000, share: 1, trust: null }

/** Each letter at a port of its own: `a` at 9101. */
const instance = (node: string, changes: Partial<Instance> = {}): Instance => ({
  serviceId: `chiyuan-node-${node}`,
  machine: 'm1',
  address: '10.0.0.1',
  port: 9004 + node.charCodeAt(node.length - 1),
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
    const { nodes, warnings } = foundNodes([instance('a', { meta })], nothingFound, 0, {
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
    ['a port below all', { port: -1 }, 'its port is -1'],
    ['a port beyond all', { port: 65_536 }, 'its port is 65536'],
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

describe('an instance that somebody wrote who has no business there', () => {
  const hostile = (changes: Partial<Instance>) =>
    foundNodes([instance('bad', changes)], nothingFound, 0, settings)

  it.each<[string, Partial<Instance>]>([
    ['a region', { meta: { region: `\u001b]0;x\u0007\u202e${'6'.repeat(100_000)}` } }],
    ['a name', { meta: { region: '610100', node: `\u001b[2J${'a'.repeat(100_000)}` } }],
    ['a scheme', { meta: { region: '610100', scheme: `\n${'a'.repeat(100_000)}` } }],
    ['a weight', { meta: { region: '610100', weight: `\u009b${'1'.repeat(100_000)}` } }],
    ['a limit', { meta: { region: '610100', limit: `\u2028${'1'.repeat(100_000)}` } }],
    ['an address', { address: `\u0000${'a'.repeat(100_000)}` }],
    ['a service id', { serviceId: `\u001b[31m${'a'.repeat(100_000)}`, meta: {} }],
    ['a machine', { machine: `\r\n${'a'.repeat(100_000)}`, meta: {} }],
  ])('with %s that is long and acts upon terminals is told of shortly, in plain characters', (_, changes) => {
    const { nodes, warnings } = hostile(changes)
    expect(nodes).toEqual([])
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.length).toBeLessThan(500)
    expect(warnings[0]).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
  })

  it.each([
    'good.example?',
    'good.example#',
    'user@good.example',
    'user:pass@10.0.0.1',
    '10.0.0.1:80',
    'a b',
    'a\\b',
    '[::1]',
    '',
  ])('has no address such as "%s", which would be another in a URL', (address) => {
    expect(hostile({ address }).warnings).toEqual([expect.stringContaining('no host')])
  })

  it('does not get the id of a node that is in use, whatever it is called', () => {
    const mine = instance('a', { serviceId: 'z' })
    const first = foundNodes([mine], nothingFound, 0, settings)
    const theirs = instance('a', { serviceId: '0', address: '10.6.6.6' })
    for (const list of [
      [mine, theirs],
      [theirs, mine],
    ]) {
      const next = foundNodes(list, first, 100, settings)
      expect(next.nodes.map(({ node }) => node.origin)).toEqual(['http://10.0.0.1:9101'])
      expect(next.warnings).toEqual([expect.stringContaining("catalogue's 0 on m1: node a is listed twice")])
    }
  })

  it('gets it where Consul finds that one critical: so a node moves off a dead machine', () => {
    const dead = instance('a', { health: 'critical' })
    const first = foundNodes([dead], nothingFound, 0, settings)
    const moved = instance('a', { machine: 'm2', address: '10.0.0.2' })
    const next = foundNodes([dead, moved], first, 100, settings)
    expect(next.nodes.map(({ node }) => node.origin)).toEqual(['http://10.0.0.2:9101'])
  })

  it('is not the second name of an address, which would be asked and laden twice', () => {
    const first = foundNodes([instance('z')], nothingFound, 0, settings)
    const next = foundNodes(
      [instance('a', { port: 9126 }), instance('z'), instance('b')],
      first,
      100,
      settings,
    )
    expect(idsOf(next)).toEqual(['b', 'z'])
    expect(next.warnings).toEqual([expect.stringContaining('is the address of node z already')])
  })

  it('is one of so many that are used at the most, and those in use are among them', () => {
    const flood = Array.from({ length: mostNodes + 500 }, (_, i) =>
      instance(`flood-${i}`, { serviceId: `0-${i}`, address: `10.1.${i >> 8}.${i & 255}` }),
    )
    const own = instance('own', { serviceId: 'z' })
    const first = foundNodes([own], nothingFound, 0, settings)
    const next = foundNodes([...flood, own], first, 100, settings)
    expect(next.nodes).toHaveLength(mostNodes)
    expect(idsOf(next)).toContain('own')
    expect(next.warnings).toEqual([expect.stringContaining('501 are left out')])
    // Nor by lists that are doubted, one after the other.
    const others = (round: number) =>
      Array.from({ length: 400 }, (_, i) =>
        instance(`r${round}-${i}`, { address: `10.2.${round}.${i & 255}`, port: 1 + (i >> 8) }),
      )
    let found = next
    for (let round = 0; round < 5; round += 1) found = foundNodes(others(round), found, 200 + round, settings)
    expect(found.nodes.length).toBeLessThanOrEqual(mostNodes)
  })

  it('is one of many that are not all named', () => {
    const bad = Array.from({ length: 1000 }, (_, i) => instance(`bad-${i}`, { meta: {} }))
    const { warnings } = foundNodes(bad, nothingFound, 0, settings)
    expect(warnings).toHaveLength(mostWarnings)
    expect(warnings.at(-1)).toBe(`and ${1000 - mostWarnings + 1} more like these`)
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
        for (const one of lists.at(-1) ?? []) {
          const { node } = foundNodes([one], nothingFound, 0, settings).nodes[0] ?? {}
          const isThere = found.nodes.some(
            ({ node: { id, origin } }) => id === node?.id || origin === node?.origin,
          )
          expect(node === undefined || isThere).toBe(true)
        }
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
