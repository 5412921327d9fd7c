// What is logged and counted of drills that are on: one line for each turn of a fault, and no label for a drill or resident.
import { expect, it } from '@jest/globals'
import { pino } from 'pino'
import type { DrillMove, DrillPhase } from '../../gateway/model/drill.ts'
import type { Happening } from '../../gateway/model/happening.ts'
import { regionId } from '../../gateway/model/ids.ts'
import { ResidentWindow } from '../../gateway/policy/resident-window.ts'
import { LogObserver } from '../../gateway/telemetry/log.ts'
import { Metrics } from '../../gateway/telemetry/metrics.ts'

const home = regionId('610100')
const move = (before: DrillPhase | null, phase: DrillPhase): DrillMove => ({
  drill: 'd1',
  home,
  fault: 'refuse',
  before,
  phase,
})

it.each<{ what: string; moves: DrillMove[]; steps: string[] }>([
  {
    what: 'a whole drill',
    moves: [
      move(null, 'ahead'),
      move('ahead', 'fault'),
      move('fault', 'recovering'),
      move('recovering', 'over'),
    ],
    steps: ['fault-on', 'fault-off', 'over'],
  },
  {
    what: 'one that ends before its fault',
    moves: [move(null, 'ahead'), move('ahead', 'recovering'), move('recovering', 'over')],
    steps: ['over'],
  },
])('$what is logged and told line by line', ({ moves, steps }) => {
  const lines: unknown[] = []
  const told: Happening[] = []
  const logger = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) })
  using log = new LogObserver(logger, (happening) => told.push(happening))
  for (const one of moves) log.drillMoved(one)
  expect(lines).toMatchObject(
    steps.map((step) => ({ event: 'drill', drill: 'd1', home: '610100', fault: 'refuse', step })),
  )
  expect(told).toEqual(steps.map((step) => ({ kind: 'drill', drill: 'd1', homes: ['610100'], step })))
})

it('a drill’s phase is there while it is on, and its counts stay', async () => {
  const none = () => 0
  const metrics = new Metrics(
    { nodes: () => [], connections: none, waiting: none, protection: none },
    () => new ResidentWindow(60_000),
  )
  const lines = async (): Promise<string[]> =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('chiyuan_drill_'))
  expect(await lines()).toEqual([])
  metrics.drillMoved(move(null, 'ahead'))
  metrics.drillMoved(move('ahead', 'fault'))
  metrics.drillRequestEnded(home, 'cohort', true)
  metrics.drillRequestEnded(home, 'cohort', false)
  metrics.drillRequestEnded(home, 'control', false)
  const counted = [
    'chiyuan_drill_requests_total{home="610100",group="cohort"} 2',
    'chiyuan_drill_requests_total{home="610100",group="control"} 1',
    'chiyuan_drill_errors_total{home="610100",group="cohort"} 1',
  ]
  expect(await lines()).toEqual(['chiyuan_drill_phase{home="610100"} 2', ...counted])
  metrics.drillMoved(move('recovering', 'over'))
  expect(await lines()).toEqual(counted)
})
