// How long a queue will take is told by what it lately did while it stood, and by nothing else.
import { describe, expect, it } from '@jest/globals'
import { Throughput } from '../../gateway/policy/throughput.ts'

describe('the expected time', () => {
  it('follows a steady rate, from the first tenth of a second on', () => {
    const through = new Throughput()
    through.begin(1_000_000)
    for (let i = 1; i <= 200; i++) {
      const now = 1_000_000 + i * 10
      through.count(now)
      if (i >= 10) {
        expect(through.timeFor(10, now)).toBeGreaterThan(80)
        expect(through.timeFor(10, now)).toBeLessThan(130)
      }
    }
  })

  it('is not foretold from next to nothing', () => {
    const through = new Throughput()
    through.begin(0)
    for (let i = 1; i < 5; i++) through.count(i)
    expect(through.timeFor(1000, 200)).toBe(0)
  })

  it('leaves out the time in which nobody waited', () => {
    const through = new Throughput()
    // Every 200 ms a queue stands for 10 ms and lets ten through.
    for (let round = 0; round < 20; round++) {
      const from = round * 200
      through.begin(from)
      for (let i = 1; i <= 10; i++) through.count(from + i)
      through.end(from + 10)
    }
    through.begin(4000)
    expect(through.timeFor(50, 4000)).toBeGreaterThan(40)
    expect(through.timeFor(50, 4000)).toBeLessThan(60)
  })

  it('forgets a rate that is over', () => {
    const through = new Throughput()
    through.begin(0)
    for (let now = 1; now <= 500; now++) through.count(now)
    for (let now = 550; now <= 2000; now += 50) through.count(now)
    expect(through.timeFor(1, 2000)).toBeGreaterThan(40)
    expect(through.timeFor(1, 3000)).toBe(0)
  })
})

it('is quiet when nothing went through for two slots', () => {
  const through = new Throughput()
  expect(through.isQuiet(0)).toBe(true)
  through.begin(0)
  through.count(100)
  expect(through.isQuiet(200)).toBe(false)
  expect(through.isQuiet(700)).toBe(true)
})
