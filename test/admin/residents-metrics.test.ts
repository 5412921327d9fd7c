// What a scrape tells of a home's residents: how many, how often each came, and never who.
import { expect, it } from '@jest/globals'
import { Registry } from 'prom-client'
import type { Home } from '../../gateway/model/snapshot.ts'
import { mix } from '../../gateway/policy/hash.ts'
import { ResidentWindow } from '../../gateway/policy/resident-window.ts'
import { Residents } from '../../gateway/telemetry/residents.ts'
import { aRegion } from '../support/values.ts'

const minute = 60_000
const home = (code: string): Home => ({ region: aRegion(code), levels: [] })
const homesOf = (...homes: Home[]): Map<string, Home> => new Map(homes.map((one) => [one.region.code, one]))

function setUp() {
  const registry = new Registry()
  const time = { now: 0 }
  const residents = new Residents(
    registry,
    () => new ResidentWindow(minute),
    () => time.now,
  )
  const storm = (at: Home, count: number, times: number): void => {
    for (let i = 0; i < count * times; i++) residents.residentSeen(at, mix(i % count), time.now)
  }
  const lines = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return { registry, time, residents, storm, lines }
}

it('tells a crowd in one home from a storm in another', async () => {
  const { time, storm, lines } = setUp()
  storm(home('610100'), 30, 1)
  storm(home('610400'), 3, 10)
  time.now = minute
  expect(await lines()).toEqual([
    'chiyuan_residents_active{home="610100"} 30',
    'chiyuan_residents_active{home="610400"} 3',
    'chiyuan_requests_per_resident{home="610100"} 1',
    'chiyuan_requests_per_resident{home="610400"} 10',
  ])
})

it('tells of the last full window only, and of quiet as nobody', async () => {
  const { time, storm, lines } = setUp()
  storm(home('610100'), 5, 2)
  expect(await lines()).toContain('chiyuan_residents_active{home="610100"} 0')
  time.now = 2 * minute - 1
  expect(await lines()).toContain('chiyuan_residents_active{home="610100"} 5')
  time.now = 2 * minute
  expect(await lines()).toEqual([
    'chiyuan_residents_active{home="610100"} 0',
    'chiyuan_requests_per_resident{home="610100"} 0',
  ])
})

it('goes on counting where a new snapshot brings a new object for the same home', async () => {
  const { time, storm, residents, lines } = setUp()
  storm(home('610100'), 5, 1)
  const again = home('610100')
  residents.follow(homesOf(again))
  storm(again, 5, 1)
  time.now = minute
  expect(await lines()).toContain('chiyuan_requests_per_resident{home="610100"} 2')
})

it('takes the lines of a departed home out, also when requests of its still end', async () => {
  const { time, storm, residents, lines } = setUp()
  const [stays, goes] = [home('610100'), home('610400')]
  storm(stays, 1, 1)
  storm(goes, 1, 1)
  residents.follow(homesOf(stays))
  storm(goes, 1, 1)
  expect(await lines()).toEqual([
    'chiyuan_residents_active{home="610100"} 0',
    'chiyuan_requests_per_resident{home="610100"} 0',
  ])
  time.now = minute
  expect([...residents.lastRegisters(time.now).keys()]).toEqual(['610100'])
})

it('is bounded, whatever homes there are', async () => {
  const { time, storm, residents, lines } = setUp()
  for (let i = 0; i < 1100; i++) storm(home(String(100_000 + i)), 1, 2)
  time.now = minute
  expect(residents.lastRegisters(time.now).size).toBe(1025)
  expect((await lines()).filter((line) => line.includes('other'))).toEqual([
    'chiyuan_residents_active{home="other"} 1',
    'chiyuan_requests_per_resident{home="other"} 152',
  ])
})
