// Operators' events: the last are kept, each follower gets what it missed or is told that it missed some.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { operatorEventSchema } from '../../gateway/admin/schemas/events.ts'
import { byPrimary, EventLog, eventsKept } from '../../gateway/control/events/event-log.ts'
import { describe as inWords } from '../../gateway/control/events/describe.ts'
import { nodeId } from '../../gateway/model/ids.ts'
import type { Delivery, Happening } from '../../gateway/model/happening.ts'
import { holdOn, xian, xianyang } from '../support/demo-federation.ts'

let now: number
let log: EventLog
let stop: AbortController

const names = (code: string) => (code === xian ? { zh: '西安', en: 'Xi’an' } : null)
const snapshot = (version: number): Happening => ({ kind: 'snapshot', version, regions: 1, nodes: 1 })
const health = (state: 'up' | 'down', node = 'xian-1'): Happening => ({
  kind: 'health',
  node: nodeId(node),
  region: xian,
  health: state,
  detail: 'a probe',
})

beforeEach(() => {
  now = 1_700_000_000_000
  log = new EventLog({ wallNow: () => now, nameOf: names })
  stop = new AbortController()
})
afterEach(() => {
  stop.abort()
  log[Symbol.dispose]()
})

const numberOf = (delivery: Delivery): string =>
  delivery.type === 'gap' ? `gap ${delivery.missed}` : (delivery.event.id.split('-')[1] ?? '')

/** The next `count` deliveries, by number. */
async function next(events: AsyncGenerator<Delivery, void>, count: number): Promise<string[]> {
  const got: string[] = []
  while (got.length < count) {
    const { value, done } = await events.next()
    if (done === true) return [...got, 'end']
    if (value !== undefined) got.push(numberOf(value))
  }
  return got
}

describe('whoever follows', () => {
  it('from now on hears only what comes', async () => {
    log.add(snapshot(1))
    const events = log.follow(null, stop.signal)
    const heard = next(events, 2)
    log.add(snapshot(2))
    log.add(snapshot(3))
    expect(await heard).toEqual(['2', '3'])
  })

  it('hears nothing twice and misses nothing between following and asking', async () => {
    const events = log.follow(null, stop.signal)
    log.add(snapshot(1))
    expect(await next(events, 1)).toEqual(['1'])
  })

  it('from an id hears what it missed, then what comes', async () => {
    for (let i = 0; i < 5; i++) log.add(snapshot(i))
    const id = log.recent()[2]?.id ?? ''
    const events = log.follow(id, stop.signal)
    expect(await next(events, 2)).toEqual(['4', '5'])
    log.add(snapshot(9))
    expect(await next(events, 1)).toEqual(['6'])
  })

  it('is told how many were too old to be kept', async () => {
    for (let i = 0; i < eventsKept + 30; i++) log.add(snapshot(i))
    const epoch = log.recent()[0]?.id.split('-')[0]
    expect(await next(log.follow(`${epoch}-10`, stop.signal), 2)).toEqual(['gap 20', '31'])
    expect(log.recent()).toHaveLength(eventsKept)
  })

  it.each(['1-3', 'nonsense', '', '1700000000000-99', '1700000000000-1; DROP'])(
    'from an id of another start, %j, has a gap and all that is kept',
    async (id) => {
      log.add(snapshot(1))
      expect(await next(log.follow(id, stop.signal), 2)).toEqual(['gap null', '1'])
    },
  )

  it('too slowly skips, and nothing is kept for it', async () => {
    const events = log.follow(null, stop.signal)
    log.add(snapshot(1))
    expect(await next(events, 1)).toEqual(['1'])
    for (let i = 0; i < eventsKept + 99; i++) log.add(snapshot(i))
    expect(await next(events, 2)).toEqual(['gap 99', '101'])
  })

  it('ends by its own signal, and with the log', async () => {
    const one = next(log.follow(null, stop.signal), 1)
    const other = next(log.follow(null, new AbortController().signal), 1)
    stop.abort()
    expect(await one).toEqual(['end'])
    log[Symbol.dispose]()
    expect(await other).toEqual(['end'])
  })
})

describe('of several workers', () => {
  it('the same within two seconds is one event, with how many saw it', () => {
    for (const worker of [1, 2, 3]) {
      now += 400
      log.add(health('down'), worker)
    }
    expect(log.recent()).toMatchObject([{ node: 'xian-1', seenBy: 3 }])
  })

  it('the same again by the same worker, later, or of another node is another event', () => {
    log.add(health('down'), 1)
    log.add(health('down'), 1)
    log.add(health('down', 'xian-2'), 2)
    log.add(health('up'), 2)
    now += 2500
    log.add(health('down'), 2)
    expect(log.recent().map(({ seenBy }) => seenBy)).toEqual([1, 1, 1, 1, 1])
  })

  it('and by their primary is the same event, seen by so many workers', () => {
    for (const place of [byPrimary, 1, 2]) log.add(health('down'), place)
    log.add(health('up'), byPrimary)
    expect(log.recent().map(({ seenBy }) => seenBy)).toEqual([2, 1])
  })

  it('a follower is told once', async () => {
    const events = log.follow(null, stop.signal)
    log.add(health('down'), 1)
    log.add(health('down'), 2)
    log.add(health('up'), 1)
    expect(await next(events, 2)).toEqual(['1', '2'])
  })
})

const all: Happening[] = [
  health('up'),
  health('down'),
  { kind: 'breaker', node: nodeId('xian-1'), region: xian, state: 'half-open' },
  { kind: 'shift', home: xian, level: 'neighbour', region: xianyang, changes: 1, swings: false },
  { kind: 'shift', home: xian, level: 'province', region: xianyang, changes: 9, swings: true },
  { kind: 'shift', home: xian, level: 'local', region: xian, changes: 1, swings: false },
  { kind: 'shift', home: xian, level: 'none', region: null, changes: 1, swings: false },
  { kind: 'hold', step: 'put', hold: holdOn('610100') },
  { kind: 'hold', step: 'expired', hold: holdOn('xian-1', 'drain') },
  { kind: 'mode', mode: 'emergency' },
  snapshot(4),
  { kind: 'registry', up: false, detail: 'disk full' },
  { kind: 'registry', up: true, detail: '' },
  { kind: 'shedding', home: xian },
  { kind: 'drill', drill: 'd1', homes: [xian, xianyang], step: 'fault-on' },
  { kind: 'protection', level: 'eased', reason: 'memory' },
  { kind: 'protection', level: 'normal', reason: 'calm' },
  { kind: 'readiness', node: nodeId('xianyang-1'), region: xianyang, notReadyFor: [xian] },
  { kind: 'readiness', node: nodeId('xianyang-1'), region: xianyang, notReadyFor: [] },
  { kind: 'enrolment', enrolment: 'e-1', donor: xianyang, step: 'active' },
  { kind: 'reload-refused', what: 'certificate', detail: 'expired' },
]

it.each(all)('$kind has words in both languages and fits the schema', (happening) => {
  log.add(happening)
  const [event] = log.recent()
  expect(operatorEventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event)
  expect(event?.message.zh).toMatch(/\p{Script=Han}/u)
  expect(event?.message.en).toMatch(/[a-z]/)
  expect(event?.message.en.replaceAll(/['’]/g, '')).not.toMatch(/\p{Script=Han}/u)
})

it.each<[string, Happening, object]>([
  [
    'a failover names home and donor',
    all[3] ?? snapshot(0),
    { severity: 'warn', home: xian, region: xianyang },
  ],
  ['no level at all is an error', all[6] ?? snapshot(0), { severity: 'error', home: xian, region: null }],
  ['a hold on a region', all[7] ?? snapshot(0), { severity: 'warn', region: xian, node: null }],
  ['a hold on a node', all[8] ?? snapshot(0), { severity: 'info', node: 'xian-1', region: null }],
])('%s', (_name, happening, expected) => {
  const told = inWords(happening, names)
  expect(told).toMatchObject(expected)
  if (happening.kind === 'shift') expect(told.message.zh).toContain('西安 (610100)')
})
