// What workers measure of a drill is added up, also what those had measured that ended in the middle of it.
import { expect, it } from '@jest/globals'
import { MeasuresInTheMaking } from '../../gateway/policy/drill-measure.ts'
import { CrewDrills } from '../../gateway/workers/crew-drills.ts'

const counted = (requests: number, firstFailure?: number) => {
  const made = new MeasuresInTheMaking(0)
  for (let i = 0; i < requests; i++) made.cohort.ended('local', i === 0 ? 'unavailable' : 'ok', 5, 1000, true)
  if (firstFailure !== undefined) made.first('firstFailure', firstFailure)
  return { d1: { measures: made.read(2000), inForce: true } }
}

function crewOfTwo() {
  const questions: { place: number; id: number }[] = []
  const places = [1, 2].map((number) => ({
    number,
    ready: true,
    askDrills: (id: number) => void questions.push({ place: number, id }),
  }))
  const drills = new CrewDrills(places)
  return {
    drills,
    async read(first: number, second: number | null, firstFailure?: number) {
      const told = drills.read('d1')
      for (const { place, id } of questions.splice(0)) {
        const requests = place === 1 ? first : second
        if (requests === null) drills.ended(place)
        else drills.heard(place, id, requests === 0 ? {} : counted(requests, firstFailure))
      }
      return told
    },
  }
}

it('adds up what both tell', async () => {
  const told = await crewOfTwo().read(3, 4)
  expect(told?.cohort).toMatchObject({ requests: 7, errors: 2 })
})

it('keeps what a worker had counted that was killed, and the moments that it saw', async () => {
  const crew = crewOfTwo()
  await crew.read(3, 4, 1234)
  const meanwhile = await crew.read(5, null)
  expect([meanwhile?.cohort.requests, meanwhile?.timeline.firstFailure]).toEqual([9, 1234])
  // Whoever took its place begins at nothing.
  const told = await crew.read(6, 2)
  expect(told?.cohort).toMatchObject({ requests: 12, errors: 3 })
  // It is no part of what happens now: of that two have told.
  expect(told?.recent.cohort).toMatchObject({ requests: 8, errors: 2 })
})

it('of a drill that nobody measures any more nothing is told, whatever was counted before', async () => {
  const crew = crewOfTwo()
  await crew.read(3, 4)
  crew.drills.ended(1)
  crew.drills.ended(2)
  expect(await crew.read(0, 0)).toBeNull()
})
