// What speaks against a change, and what nobody may overrule.
import { expect, it } from '@jest/globals'
import { preview } from '../../gateway/control/preview.ts'
import type { NodeReadings } from '../../gateway/model/readings.ts'
import type { Change } from '../../gateway/policy/change.ts'
import { wordsOf } from '../../gateway/policy/guard-words.ts'
import { type Expiry, type GuardName, guardNames } from '../../gateway/policy/guards.ts'
import { demoFederation, holdOn, shaanxi, weinan, xian, xianyang } from '../support/demo-federation.ts'
import { homeReads, nodeReads, reads } from '../support/readings.ts'

interface Case {
  readonly rps?: number
  readonly changes: readonly Change[]
  readonly xianyangNode?: Partial<NodeReadings>
  readonly pledgeRps?: number
  readonly expiries?: readonly Expiry[]
}

const found = ({ rps = 100, changes, xianyangNode, pledgeRps = Infinity, expiries = [] }: Case) =>
  preview(changes, {
    input: {
      regions: demoFederation({ [xianyang]: { limitRps: pledgeRps } }),
      holds: [],
      mode: null,
    },
    readings: reads(
      [
        nodeReads('xian-1', xian),
        nodeReads('xian-2', xian),
        nodeReads('xianyang-1', xianyang, xianyangNode),
        nodeReads('weinan-1', weinan),
        nodeReads('shaanxi-1', shaanxi),
      ],
      [homeReads(xian, rps)],
    ),
    ownMode: 'peacetime',
    warmShare: () => 0,
    expiries,
  }).guards

const trip = (...codes: string[]): Change[] => codes.map((code) => ({ hold: holdOn(code) }))

it('nothing speaks against what harms nobody', () => {
  expect(found({ changes: [] })).toEqual([])
  expect(found({ changes: trip('xian-1') })).toEqual([])
  expect(found({ changes: trip('610100') })).toEqual([])
})

it.each<Case & { guard: GuardName; severity: 'object' | 'warn'; isHard?: boolean; numbers: object }>([
  {
    guard: 'nobody-left',
    severity: 'object',
    isHard: true,
    changes: trip('610100', '610400', '610500', '610000'),
    numbers: { home: xian, found: 0, bound: 2 },
  },
  {
    guard: 'levels-left',
    severity: 'object',
    changes: trip('610100', '610400', '610500'),
    numbers: { home: xian, found: 1, bound: 2 },
  },
  {
    guard: 'sheds',
    severity: 'object',
    rps: 700,
    changes: trip('610100'),
    numbers: { home: xian, found: 100, bound: 0 },
  },
  { guard: 'sheds', severity: 'warn', rps: 1100, changes: [], numbers: { home: xian, found: 100 } },
  { guard: 'room-left', severity: 'object', rps: 540, changes: trip('610100'), numbers: { bound: 0.2 } },
  {
    guard: 'donor-full',
    severity: 'warn',
    changes: trip('610100'),
    pledgeRps: 105,
    numbers: { region: xianyang, found: 100 / 105, bound: 0.8 },
  },
  { guard: 'emergency', severity: 'warn', changes: [{ mode: 'emergency' }], numbers: {} },
  {
    guard: 'expiring',
    severity: 'warn',
    changes: [],
    expiries: [
      { donor: xianyang, inMs: 3_600_000 },
      { donor: weinan, inMs: 90_000_000 },
    ],
    numbers: { region: xianyang, found: 3_600_000 },
  },
  {
    guard: 'unknown-capacity',
    severity: 'warn',
    changes: trip('610100'),
    xianyangNode: { knownLimit: null, limitBasis: 'unproven' },
    numbers: { nodes: ['xianyang-1'], found: 100 },
  },
])('$guard ($severity)', ({ guard, severity, isHard = false, numbers, ...given }) => {
  const all = found(given).filter((one) => one.guard === guard && (one.home ?? xian) === xian)
  expect(all).toHaveLength(1)
  expect(all[0]).toMatchObject({ severity, isHard, ...numbers })
})

it('a home that has too few levels already is a warning to whoever changes something else', () => {
  const input = {
    regions: demoFederation(),
    holds: trip('610400', '610500', '610000').flatMap(heldBy),
    mode: null,
  }
  const { guards } = preview(trip('xian-1'), {
    input,
    readings: reads([nodeReads('xian-1', xian), nodeReads('xian-2', xian)], [homeReads(xian, 10)]),
    ownMode: 'peacetime',
    warmShare: () => 0,
  })
  expect(guards.filter(({ guard }) => guard === 'levels-left')).toMatchObject([
    { severity: 'warn', found: 1 },
  ])
})

const heldBy = (change: Change) => ('hold' in change ? [change.hold] : [])

it('each says in both languages what it found', () => {
  const all = [
    ...found({ changes: trip('610100', '610400', '610500'), rps: 700 }),
    ...found({ changes: [{ mode: 'emergency' }], expiries: [{ donor: xianyang, inMs: 3_600_000 }] }),
    ...found({ changes: trip('610100'), pledgeRps: 105 }),
    ...found({ changes: trip('610100', '610400', '610500', '610000') }),
    ...found({ changes: trip('610100'), xianyangNode: { knownLimit: null, limitBasis: 'unproven' } }),
  ]
  expect(new Set(all.map(({ guard }) => guard))).toEqual(new Set(guardNames))
  for (const guarded of all) {
    expect(wordsOf(guarded).zh).toMatch(/\p{Script=Han}/u)
    expect(wordsOf(guarded).en).toMatch(/^[\x20-\x7e]+$/)
  }
  const sheds = all.find(({ guard }) => guard === 'sheds')
  expect(sheds === undefined ? null : wordsOf(sheds).en).toBe(
    '610100: 500 requests a second would be turned away',
  )
})
