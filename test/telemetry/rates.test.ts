// Rates are of the last ten seconds, whatever came before.
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { Rates } from '../../gateway/telemetry/rates.ts'
import type { TallyLine } from '../../gateway/telemetry/tally.ts'
import { FakeClock } from '../support/fake-clock.ts'

let clock: FakeClock
let lines: TallyLine[]
let rates: Rates

const line = (): TallyLine => {
  const made = { count: 0, labels: [] }
  lines.push(made)
  return made
}

beforeEach(() => {
  clock = new FakeClock()
  lines = []
  rates = new Rates(clock, () => lines)
})
afterEach(() => rates[Symbol.dispose]())

async function run(counted: TallyLine, perSecond: number, seconds: number): Promise<void> {
  for (let i = 0; i < seconds * 4; i++) {
    counted.count += perSecond / 4
    await clock.advance(250)
  }
}

it('tells a steady rate from the first second on', async () => {
  const counted = line()
  await run(counted, 40, 1)
  expect(rates.perSecond(counted)).toBe(40)
  await run(counted, 40, 30)
  expect(rates.perSecond(counted)).toBe(40)
})

it('has forgotten after eleven seconds what went before', async () => {
  const counted = line()
  await run(counted, 1000, 20)
  await run(counted, 0, 11)
  expect(rates.perSecond(counted)).toBe(0)
  await run(counted, 8, 11)
  expect(rates.perSecond(counted)).toBeCloseTo(8)
})

it('counts a line that came lately from nothing', async () => {
  await clock.advance(60_000)
  const late = line()
  await run(late, 100, 5)
  // 500 in the last ten seconds.
  expect(rates.perSecond(late)).toBeGreaterThan(45)
  expect(rates.perSecond(late)).toBeLessThanOrEqual(50)
})

it('makes no wonder of the first moments', async () => {
  const counted = line()
  counted.count = 3
  await clock.advance(10)
  expect(rates.perSecond(counted)).toBe(3)
})

it('leaves no timer', () => {
  rates[Symbol.dispose]()
  expect(clock.waiting).toEqual([])
})
