// What is told of a drill by the gateway that takes part in it, at the moments at which it could be told wrong.
import { expect, it } from '@jest/globals'
import { DrillParts } from '../../gateway/control/drills/parts.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { MeasuresInTheMaking } from '../../gateway/policy/drill-measure.ts'
import { withGateways } from '../../gateway/policy/drill-part.ts'
import { reportOf } from '../../gateway/policy/drill-report.ts'
import { aDrill } from '../support/drills.ts'
import { FakeClock } from '../support/fake-clock.ts'

const run = {
  startedAt: 1000,
  faultAt: 2000,
  endsAt: 9000,
  overruled: [],
  endedAt: 1500,
  ending: 'owner',
  detail: '',
} as const

async function toldOnce(isInForce: () => boolean) {
  await using registry = openEmbeddedRegistry(':memory:')
  const clock = new FakeClock()
  await using parts = new DrillParts({
    registry,
    drills: {
      read: () => Promise.resolve(new MeasuresInTheMaking(1000).read(1500)),
      isInForce: () => Promise.resolve(isInForce()),
    },
    clock,
    wallNow: () => 1500 + clock.now(),
    gateway: 'g1',
    known: () => [],
    fault: (cause) => {
      throw cause
    },
  })
  return await parts.read('d1')
}

it('one that was ended before anybody had looked is measured, and its end is the one that was given', async () => {
  const told = await toldOnce(() => false)
  expect([told.isHeard, told.inForce]).toEqual([true, false])
  const report = reportOf(aDrill({ id: 'd1' }), run, told.measures, [], [])
  expect(withGateways(report, told.gateways, 1500, 1500).verdict).toBe('ended-early')
})

it('one that is over between two questions is either on or over, and never a gateway that is gone', async () => {
  let asked = 0
  const told = await toldOnce(() => ++asked === 1)
  expect([told.inForce, told.gateways.map(({ unheard }) => unheard)]).toEqual([true, [false]])
})
