// One line when a home's level changes, and not a flood of them where two levels serve about as much.
import { expect, it } from '@jest/globals'
import { ShiftReport } from '../../gateway/telemetry/shift-report.ts'

const report = (): ShiftReport => new ShiftReport('local', 'none')

it('says nothing of a home that is served at home, and at once where it no longer is', () => {
  const shifts = report()
  expect(shifts.see('local', 0)).toBeNull()
  expect(shifts.see('local', 250)).toBeNull()
  expect(shifts.see('neighbour', 500)).toEqual({ from: null, to: 'neighbour', changes: 1 })
  expect(shifts.see('neighbour', 750)).toBeNull()
  expect(shifts.see('local', 6000)).toEqual({ from: 'neighbour', to: 'local', changes: 1 })
})

it('says at once of a home that starts elsewhere', () => {
  expect(report().see('province', 0)).toEqual({ from: null, to: 'province', changes: 1 })
})

it('says where it ended up when it changed back and forth meanwhile, and only then', () => {
  const shifts = report()
  shifts.see('local', 0)
  const said = []
  for (let now = 250; now <= 20_000; now += 250) {
    const shift = shifts.see(now % 500 === 0 ? 'local' : 'neighbour', now)
    if (shift !== null) said.push(shift)
  }
  expect(said.length).toBeLessThanOrEqual(5)
  expect(said[0]).toEqual({ from: null, to: 'neighbour', changes: 1 })
  expect(said[1]?.changes).toBeGreaterThan(10)
})

it('does not make anybody wait for the word that nothing answers, or that something does again', () => {
  const shifts = report()
  shifts.see('local', 0)
  shifts.see('neighbour', 1000)
  expect(shifts.see('none', 1250)).toBeNull()
  expect(shifts.see('none', 3000)).toEqual({ from: 'neighbour', to: 'none', changes: 1 })
  expect(shifts.see('local', 5000)).toEqual({ from: 'none', to: 'local', changes: 1 })
})
