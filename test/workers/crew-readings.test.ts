// All workers are asked at once; who says nothing for a second is missing, and nobody waits longer.
import { expect, it } from '@jest/globals'
import { CrewReadings } from '../../gateway/workers/crew-readings.ts'
import type { Readings } from '../../gateway/model/readings.ts'
import { nodeReads, reads } from '../support/readings.ts'

const silent = (missing: readonly number[]): Readings =>
  reads([], [], { workers: { ready: 0, of: 2, missing } })

interface Crew {
  readonly measured: CrewReadings
  readonly questions: { place: number; id: number }[]
}

function crewOf(ready: readonly boolean[]): Crew {
  const questions: Crew['questions'] = []
  const places = ready.map((isReady, i) => ({
    number: i + 1,
    ready: isReady,
    askState: (id: number) => void questions.push({ place: i + 1, id }),
  }))
  return { measured: new CrewReadings(places, silent), questions }
}

const busy = (inFlight: number): Readings => reads([nodeReads('xian-1', '610100', { inFlight })])

it('adds up what the workers say, asked once for all who want to know', async () => {
  const { measured, questions } = crewOf([true, true])
  const both = Promise.all([measured.read(), measured.read()])
  expect(questions).toHaveLength(2)
  for (const { place, id } of questions) measured.heard(place, id, busy(place))
  for (const told of await both) expect(told.nodes[0]?.inFlight).toBe(3)
})

it('goes without a frozen worker after a second, and without one that does not run at once', async () => {
  const { measured, questions } = crewOf([true, true, false])
  const asked = performance.now()
  const told = measured.read()
  measured.heard(1, questions[0]?.id ?? 0, busy(1))
  expect((await told).gateway.workers).toEqual({ ready: 1, of: 3, missing: [2, 3] })
  expect(performance.now() - asked).toBeGreaterThan(950)
})

it('ends the wait for a worker that ends, and tells what is left where none answers', async () => {
  const { measured } = crewOf([true, true])
  const told = measured.read()
  measured.ended(1)
  measured.ended(2)
  expect(await told).toEqual(silent([1, 2]))
})

it('takes no late answer for the next question’s', async () => {
  const { measured, questions } = crewOf([true])
  const first = measured.read()
  measured.ended(1)
  await first
  const second = measured.read()
  measured.heard(1, questions[0]?.id ?? 0, busy(7))
  measured.heard(1, questions[1]?.id ?? 0, busy(8))
  expect((await second).nodes[0]?.inFlight).toBe(8)
})
