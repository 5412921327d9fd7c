// Our own counting of a histogram gives, as text and as JSON, what prom-client's would.
import { expect, it } from '@jest/globals'
import { Histogram, Registry } from 'prom-client'
import { Durations } from '../../gateway/telemetry/durations.ts'

const bounds = [0.01, 0.1, 1]
const observed = [0, 0.005, 0.01, 0.02, 0.1, 0.5, 1, 3, 100]

it('reads as prom-client’s own histogram of the same observations', async () => {
  const [ours, theirs] = [new Registry(), new Registry()]
  const durations = new Durations(ours, 'd_seconds', 'Help.', ['home', 'level'], bounds)
  const reference = new Histogram({
    name: 'd_seconds',
    help: 'Help.',
    labelNames: ['home', 'level'],
    buckets: bounds,
    registers: [theirs],
  })
  for (const level of ['local', 'none']) {
    const line = durations.line({ home: '610100', level })
    for (const value of observed) {
      line.observe(value)
      reference.labels('610100', level).observe(value)
    }
  }
  expect(await ours.metrics()).toBe(await theirs.metrics())
  expect(await theirs.getMetricsAsJSON()).toMatchObject(await ours.getMetricsAsJSON())
})
