// What is said of a crowd in the configuration is checked: each fault with its line, field, value and what is right.
import { expect, it } from '@jest/globals'
import { inMode } from '../../config/mode.ts'
import { parseConfig } from '../../config/load.ts'

const least = `home: { default: "610100" }
regions:
  - code: "610100"
    name: { zh: 西安, en: Xi'an }
    nodes:
      - { id: xian-1, url: "http://127.0.0.1:9101" }
`

const complaint = (text: string): string => {
  try {
    parseConfig(text, 'c.yaml')
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return ''
}

const withNode = (fields: string): string => least.replace(':9101" }', `:9101", ${fields} }`)
const withLends = (fields: string): string =>
  least.replace('    nodes:', `    lends: { ${fields} }\n    nodes:`)

it.each([
  [withNode('limit: 0'), 'c.yaml:6: regions[0].nodes[0].limit: 0 is not usable; it must be at least 1'],
  [
    withNode('limit: 2.5'),
    'c.yaml:6: regions[0].nodes[0].limit: 2.5 is not usable; it must be a whole number',
  ],
  [withLends('limitRps: -5'), 'c.yaml:5: regions[0].lends.limitRps: -5 is not usable; it must be above 0'],
  [
    withLends('limitConcurrent: 0'),
    'c.yaml:5: regions[0].lends.limitConcurrent: 0 is not usable; it must be at least 1',
  ],
  [
    withLends('homeReserve: 2'),
    'c.yaml:5: regions[0].lends.homeReserve: 2 is not usable; it must be at most 1',
  ],
  [withLends('limitRpm: 5'), 'c.yaml:5: regions[0].lends.limitRpm: no such field; did you mean limitRps?'],
  [
    `${least}classes: { vital: {} }`,
    'c.yaml:7: classes.vital: no such field; known here: critical, important, deferrable',
  ],
  [
    `${least}defaultClass: vital`,
    'c.yaml:7: defaultClass: "vital" is not usable; it must be one of: critical, important, deferrable',
  ],
  [
    `${least}classes: { critical: { routes: [{ path: v1/codes }] } }`,
    'c.yaml:7: classes.critical.routes[0].path: "v1/codes" is not usable; it must be a path whose segments may be * for any one',
  ],
  [
    `${least}classes: { critical: { routes: [{ path: /v1/**/x }] } }`,
    'c.yaml:7: classes.critical.routes[0].path: "/v1/**/x" is not usable',
  ],
  [
    `${least}classes: { critical: { routes: [{ path: "/v1/a?b=1" }] } }`,
    'classes.critical.routes[0].path: "/v1/a?b=1" is not usable',
  ],
  [
    `${least}classes: { critical: { routes: [{ path: /v1, methods: [get] }] } }`,
    'c.yaml:7: classes.critical.routes[0].methods[0]: "get" is not usable; it must be a method in capitals, such as GET',
  ],
  [
    `${least}classes: { critical: { routes: [{ path: /v1, methods: [] }] } }`,
    'classes.critical.routes[0].methods: [] is not usable; it must be at least 1 entries long',
  ],
  [
    `${least}queue: { targetWaitMs: 300 }`,
    'c.yaml:7: queue.targetWaitMs: 300 ms is above queue.maxWaitMs (200 ms)',
  ],
  [`${least}queue: { size: -1 }`, 'c.yaml:7: queue.size: -1 is not usable; it must be at least 0'],
  [
    `${least}concurrency: { initial: 3 }`,
    'c.yaml:7: concurrency.initial: 3 is not between concurrency.floor (4) and concurrency.ceiling (10000)',
  ],
  [
    `${least}concurrency: { ceiling: 8 }`,
    'c.yaml:7: concurrency.initial: 10 is not between concurrency.floor (4) and concurrency.ceiling (8)',
  ],
  [
    `${least}concurrency: { loadPath: load }`,
    'c.yaml:7: concurrency.loadPath: "load" is not usable; it must be a path that begins with a slash',
  ],
  [
    `${least}protection:\n  eventLoopDelayMs: { eased: 500 }`,
    'c.yaml:8: protection.eventLoopDelayMs: {"eased":500} is not usable; it must be rising: eased below shedding',
  ],
  [
    `${least}protection: { memoryShare: { shedding: 0.95 } }`,
    'protection.memoryShare: {"shedding":0.95} is not usable; it must be rising',
  ],
  [`${least}mode: war`, 'c.yaml:7: mode: "war" is not usable; it must be one of: peacetime, emergency'],
  [
    `${least}profiles:\n  emergency:\n    queue:\n      maxWaitMs: 0`,
    'c.yaml:10: profiles.emergency.queue.maxWaitMs: 0 is not usable; it must be at least 1',
  ],
  [
    `${least}profiles:\n  emergency:\n    queue: { maxWait: 5 }`,
    'c.yaml:9: profiles.emergency.queue.maxWait: no such field; did you mean maxWaitMs?',
  ],
  [
    `${least}profiles:\n  emergency:\n    queue: { targetWaitMs: 900 }`,
    'c.yaml:9: profiles.emergency.queue.targetWaitMs: 900 ms is above queue.maxWaitMs (200 ms)',
  ],
  [
    `${least}profiles:\n  emergency:\n    queues: {}`,
    'c.yaml:9: profiles.emergency.queues: no such field; did you mean queue?',
  ],
  [
    `${least}profiles:\n  peacetime:\n    breaker: {}`,
    'c.yaml:9: profiles.peacetime.breaker: no such field; known here: selection, attempts',
  ],
  [
    `${least}profiles:\n  emergencey: {}`,
    'c.yaml:8: profiles.emergencey: no such field; did you mean emergency?',
  ],
])('refusal %#', (text, says) => {
  expect(complaint(text)).toContain(says)
  expect(complaint(text).split('\n')).toHaveLength(1)
})

it('a profile of the mode in force is what counts; of the other it is only checked', () => {
  const text = `${least}profiles:\n  emergency: { queue: { maxWaitMs: 900 } }\n`
  const config = parseConfig(text, 'c.yaml')
  expect(config.queue.maxWaitMs).toBe(200)
  expect(inMode(config, 'peacetime')).toEqual(config)
  const emergency = inMode(config, 'emergency')
  expect([emergency.mode, emergency.queue.maxWaitMs, emergency.lastGood.maxAgeSeconds]).toEqual([
    'emergency',
    900,
    3600,
  ])
  expect(inMode(emergency, 'emergency')).toEqual(emergency)
})

it('what the file says of a field outranks what ships with a mode', () => {
  const config = parseConfig(`${least}lastGood: { maxAgeSeconds: 60 }\n`, 'c.yaml')
  const { lastGood, standby } = inMode(config, 'emergency')
  expect([lastGood.maxAgeSeconds, standby.warmShare]).toEqual([60, 0.02])
})
