import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { syntheticResident, syntheticResidentIds } from '../../region-node/synthetic.ts'

const aResidentId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/)

describe('synthetic residents', () => {
  it('are the same on every node, whoever makes them and in whatever order', () => {
    fc.assert(
      fc.property(aResidentId, (id) => {
        expect(syntheticResident(id, '610100')).toStrictEqual(syntheticResident(id, '610100'))
      }),
    )
  })

  // A change of generator would make nodes of two releases disagree on a resident's colour.
  it.each([
    { number: 1, colour: 'yellow', token: 'ezvhE7iFnMaDQns2_HHpeA' },
    { number: 2, colour: 'green', token: 'XSGALvDqYw4T8bsYOamibw' },
    { number: 26, colour: 'red', token: 'PzCVYrDrW0XiHrgMf6TArA' },
  ])('keep colour and token from release to release: number $number', ({ number, colour, token }) => {
    const [id = ''] = syntheticResidentIds('610100', number, number)
    expect(id).toBe(`R610100-${String(number).padStart(6, '0')}`)
    expect(syntheticResident(id, '610100').resident).toMatchObject({ status: colour, residentToken: token })
  })

  it('are mostly green, some yellow, a few red', () => {
    const count = { green: 0, yellow: 0, red: 0 }
    for (const id of syntheticResidentIds('610400', 1, 5_000)) {
      count[syntheticResident(id, '610400').resident.status] += 1
    }
    expect(count.green / 5_000).toBeCloseTo(0.9, 1)
    expect(count.yellow / 5_000).toBeCloseTo(0.08, 1)
    expect(count.red).toBeGreaterThan(50)
    expect(count.red).toBeLessThan(150)
  })

  it('have a token that tells nothing of the id, and no two the same', () => {
    const residents = [...syntheticResidentIds('610100', 1, 2_000)].map(
      (id) => syntheticResident(id, '610100').resident,
    )
    expect(new Set(residents.map((resident) => resident.residentToken)).size).toBe(2_000)
    for (const { residentToken } of residents) expect(residentToken).toMatch(/^[A-Za-z0-9_-]{22}$/)
  })

  it('have tests that explain their colour, newest first', () => {
    fc.assert(
      fc.property(aResidentId, (id) => {
        const { resident, tests } = syntheticResident(id, '610100')
        const times = tests.map((test) => test.sampledAtMs)
        expect(times).toStrictEqual(times.toSorted((a, b) => b - a))
        expect(tests[0]?.sampledAtMs).toBe(resident.testTimeMs)
        expect(tests[0]?.result).toBe(
          { green: 'negative', yellow: 'pending', red: 'positive' }[resident.status],
        )
      }),
    )
  })
})
