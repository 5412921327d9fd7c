// Residents are counted within the error that the sketch promises, from ten to ten million, and by several processes.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Cardinality } from '../../gateway/policy/cardinality.ts'
import { ResidentWindow, union } from '../../gateway/policy/resident-window.ts'

const standardError = 1.04 / Math.sqrt(4096)

// Looked up once: in a test's own realm every look at a global costs more than the count itself.
const { imul } = Math

/** The hash of one resident out of a city of its own: Murmur3's finaliser, twice. */
const resident = (city: number, i: number): number => mixed(mixed(imul(city, 0x9e3779b9)) ^ i)

function mixed(value: number): number {
  let h = imul(value ^ (value >>> 16), 0x85ebca6b)
  h = imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const hex = (count: Cardinality): string => Buffer.from(count.registers()).toString('hex')

function countOf(city: number, residents: number): Cardinality {
  const count = new Cardinality()
  for (let i = 0; i < residents; i++) count.add(resident(city, i))
  return count
}

describe('the estimate', () => {
  it.each([
    [10, 40],
    [100, 40],
    [1000, 40],
    [10_000, 40],
    [50_000, 20],
    [100_000, 20],
    [1_000_000, 6],
    [10_000_000, 1],
  ])('is right for %d residents, over %d cities', (residents, cities) => {
    const errors = Array.from(
      { length: cities },
      (_, city) => countOf(city + 1, residents).estimate() / residents - 1,
    )
    const mean = errors.reduce((sum, error) => sum + error, 0) / cities
    const worst = Math.max(...errors.map(Math.abs))
    // Among few, two that share a register are one too few, and that is all there is.
    expect(worst).toBeLessThan(Math.max(4 * standardError, 1.5 / residents))
    // No bias: the mean of many is nearer than one may be.
    expect(Math.abs(mean)).toBeLessThan((3.5 * standardError) / Math.sqrt(cities))
  })

  it('is nothing for nobody, and near exact for few', () => {
    expect(new Cardinality().estimate()).toBe(0)
    for (const few of [1, 2, 5, 20]) expect(Math.round(countOf(3, few).estimate())).toBe(few)
  })

  it('does not count a resident twice, whether the hash is signed or not', () => {
    const key = fc.integer({ min: 0, max: 0xffffffff })
    fc.assert(
      fc.property(fc.array(key, { maxLength: 50 }), (keys) => {
        const [once, often] = [new Cardinality(), new Cardinality()]
        for (const one of keys) once.add(one)
        for (const one of [...keys, ...keys.toReversed()]) {
          often.add(one)
          often.add(one | 0)
        }
        expect(hex(often)).toBe(hex(once))
      }),
    )
  })

  it('stays finite at the ends of the hash', () => {
    const count = new Cardinality()
    for (const hash of [0, 0xffffffff, 0x80000000, 0x000fffff, 1]) count.add(hash)
    expect(count.estimate()).toBeGreaterThan(3)
    const full = new Cardinality()
    full.mergeRegisters(new Uint8Array(4096).fill(20))
    expect(Number.isFinite(full.estimate())).toBe(true)
  })
})

describe('a merge', () => {
  it('is the union, whichever way it is done', () => {
    const keys = fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 200 })
    fc.assert(
      fc.property(keys, keys, (left, right) => {
        const [a, b, both, bytes] = [1, 2, 3, 4].map(() => new Cardinality())
        if (a === undefined || b === undefined || both === undefined || bytes === undefined) return
        for (const key of left) a.add(key)
        for (const key of right) b.add(key)
        for (const key of [...left, ...right]) both.add(key)
        bytes.mergeRegisters(b.registers())
        bytes.mergeRegisters(a.registers())
        a.merge(b)
        expect(hex(a)).toBe(hex(both))
        expect(hex(bytes)).toBe(hex(both))
        expect(a.estimate()).toBe(both.estimate())
      }),
    )
  })

  it.each([
    ['of another length', new Uint8Array(2048)],
    ['with a rank that no hash has', new Uint8Array(4096).fill(22)],
  ])('refuses bytes %s, and is left as it was', (_what, bytes) => {
    const count = countOf(1, 100)
    const before = hex(count)
    expect(() => count.mergeRegisters(bytes)).toThrow(RangeError)
    expect(hex(count)).toBe(before)
  })

  it('is of a copy', () => {
    const count = countOf(1, 10)
    count.registers().fill(20)
    expect(Math.round(count.estimate())).toBe(10)
  })
})

it('forgets all by clear', () => {
  const count = countOf(1, 10_000)
  count.clear()
  expect(count.estimate()).toBe(0)
})

describe('a window', () => {
  const minute = 60_000
  const filled = (from: number, residents: number, times: number): ResidentWindow => {
    const window = new ResidentWindow(minute)
    for (let round = 0; round < times; round++)
      for (let i = 0; i < residents; i++) window.seen(resident(1, i), from + round)
    return window
  }
  const nobody = { residents: 0, requests: 0, perResident: 0 }

  it('tells a storm from a crowd', () => {
    const crowd = filled(0, 1000, 1).last(minute)
    const storm = filled(0, 50, 20).last(minute)
    expect(crowd.requests).toBe(storm.requests)
    expect(crowd.perResident).toBeCloseTo(1, 1)
    expect(storm.perResident).toBeCloseTo(20, 0)
  })

  it('says nothing of the window that is not over, and forgets the one before the last', () => {
    const window = filled(minute, 20, 2)
    expect(window.last(minute + 59_999)).toEqual(nobody)
    expect(window.last(2 * minute)).toEqual({ residents: 20, requests: 40, perResident: 2 })
    expect(window.last(3 * minute - 1)).toEqual({ residents: 20, requests: 40, perResident: 2 })
    expect(window.last(3 * minute)).toEqual(nobody)
  })

  it('does not take a window from long ago for the last one', () => {
    const window = filled(0, 20, 2)
    window.seen(1, 5 * minute + 1)
    expect(window.last(5 * minute + 2)).toEqual(nobody)
    expect(window.last(6 * minute).requests).toBe(1)
  })

  it('never tells of more residents than requests, and counts every request once', () => {
    const step = fc.record({ waitMs: fc.nat(90_000), requests: fc.nat(60) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const window = new ResidentWindow(minute)
        const byWindow = new Map<number, number>()
        let now = 0
        for (const { waitMs, requests } of steps) {
          now += waitMs
          const slot = Math.floor(now / minute)
          const last = window.last(now)
          expect(last.requests).toBe(byWindow.get(slot - 1) ?? 0)
          expect(last.residents).toBeLessThanOrEqual(last.requests)
          for (let i = 0; i < requests; i++) window.seen(resident(slot, i % 40), now)
          byWindow.set(slot, (byWindow.get(slot) ?? 0) + requests)
        }
      }),
    )
  })

  it('of several processes counts a resident of two of them once', () => {
    const [a, b] = [new ResidentWindow(minute), new ResidentWindow(minute)]
    for (let i = 0; i < 300; i++) (i % 2 === 0 ? a : b).seen(resident(1, i % 100), 5)
    for (let i = 0; i < 100; i++) a.seen(resident(1, i), 6)
    const whole = union([a.lastRegisters(minute), b.lastRegisters(minute)])
    expect(whole.requests).toBe(400)
    expect(whole.residents).toBeGreaterThanOrEqual(98)
    expect(whole.residents).toBeLessThanOrEqual(102)
    expect(union([])).toEqual(nobody)
  })
})
