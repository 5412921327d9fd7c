// What workers count, put together: sums that never go back, and gauges by their own rules.
import { describe, expect, it } from '@jest/globals'
import { Gauge, Registry } from 'prom-client'
import { copyOf, gaugeRules, readCopy, textOf } from '../../gateway/telemetry/aggregate.ts'
import { Ledger } from '../../gateway/telemetry/ledger.ts'
import { Metrics } from '../../gateway/telemetry/metrics.ts'
import type { NodeReading } from '../../gateway/telemetry/node-gauges.ts'
import { ResidentWindow } from '../../gateway/policy/resident-window.ts'
import { aHome, aLevel, aNode } from '../support/values.ts'

const reading = (changes: Partial<NodeReading>): NodeReading => {
  const metrics: NodeReading = {
    node: aNode('xian-1'),
    health: 'up',
    breaker: 'closed',
    hold: null,
    notReadyFor: new Set(),
    inFlight: 0,
    limit: 20,
    p99Ms: 0,
    ramp: 1,
    ...changes,
  }
  return metrics
}

const worker = (changes: Partial<NodeReading>): Metrics =>
  new Metrics(
    { nodes: () => [reading(changes)], connections: () => 3, waiting: () => 0, protection: () => 0 },
    () => new ResidentWindow(60_000),
  )

const answered = (metrics: Metrics, times: number): void => {
  const level = aLevel('local', [aNode('xian-1')])
  const home = aHome([level])
  for (let i = 0; i < times; i++) {
    metrics.requestBegan(home)
    metrics.requestEnded(home, level, 'ok', 4)
  }
}

const ledgerText = async (ledger: Ledger, silent: readonly number[] = []): Promise<string> =>
  textOf(await ledger.copies(new Set(silent)))

it('every gauge of ours has a rule by which workers’ values become one', async () => {
  const gauges = readCopy(await copyOf(worker({}).registry)).filter(
    ({ name, type }) => type === 'gauge' && name.startsWith('chiyuan_'),
  )
  const unruled = gauges.map(({ name }) => name).filter((name) => gaugeRules[name] === undefined)
  expect(unruled).toEqual([])
})

describe('two workers', () => {
  it('are added up, but for what each knows of a node', async () => {
    const ledger = new Ledger()
    const one = worker({ breaker: 'open', inFlight: 2, p99Ms: 20, ramp: 0.5 })
    const two = worker({ health: 'unknown', inFlight: 5, p99Ms: 30, hold: 'drain' })
    answered(one, 3)
    answered(two, 4)
    ledger.take(1, await copyOf(one.registry))
    ledger.take(2, await copyOf(two.registry))
    const text = await ledgerText(ledger)
    for (const line of [
      'chiyuan_node_up{node="xian-1",region="610100"} 1',
      'chiyuan_node_breaker{node="xian-1",region="610100"} 2',
      'chiyuan_node_held{node="xian-1",region="610100"} 1',
      'chiyuan_node_in_flight{node="xian-1",region="610100"} 7',
      'chiyuan_node_latency_p99_seconds{node="xian-1",region="610100"} 0.03',
      'chiyuan_node_ramp{node="xian-1",region="610100"} 0.75',
      'chiyuan_connections 6',
      'chiyuan_registry_up 1',
      'chiyuan_requests_total{home="610100",level="local",region="610100",outcome="ok"} 7',
      'chiyuan_request_duration_seconds_bucket{le="0.005",home="610100",level="local"} 7',
      'chiyuan_request_duration_seconds_bucket{le="+Inf",home="610100",level="local"} 7',
      'chiyuan_request_duration_seconds_count{home="610100",level="local"} 7',
    ])
      expect(text.split('\n')).toContain(line)
    expect(text).not.toMatch(/NaN|undefined/)
  })

  it('count on when one dies and is followed, and when one is silent', async () => {
    const ledger = new Ledger()
    const one = worker({})
    const two = worker({ breaker: 'open', inFlight: 5 })
    answered(one, 3)
    answered(two, 4)
    ledger.take(1, await copyOf(one.registry))
    ledger.take(2, await copyOf(two.registry))
    const silent = await ledgerText(ledger, [2])
    expect(silent).toContain('outcome="ok"} 7')
    expect(silent).toContain('chiyuan_node_in_flight{node="xian-1",region="610100"} 5')
    expect(silent).toContain('chiyuan_node_breaker{node="xian-1",region="610100"} 0')
    await ledger.retire(2)
    await ledger.retire(1)
    const next = worker({})
    answered(next, 1)
    ledger.take(2, await copyOf(next.registry))
    const text = await ledgerText(ledger)
    expect(text).toContain('outcome="ok"} 8')
    expect(text).toContain('chiyuan_request_duration_seconds_count{home="610100",level="local"} 8')
    expect(text).toContain('chiyuan_connections 3')
  })

  it('are heard of although another one’s last copy can not be read', async () => {
    const ledger = new Ledger()
    const one = worker({})
    answered(one, 2)
    ledger.take(1, await copyOf(one.registry))
    await ledger.retire(1)
    ledger.take(2, 'half a li')
    await expect(ledger.retire(2)).rejects.toThrow('JSON')
    expect(await ledgerText(ledger)).toContain('outcome="ok"} 2')
  })
})

it('a value that is no number is left out, not turned into one', async () => {
  const registry = new Registry()
  new Gauge({ name: 'g', help: 'h', registers: [registry] }).set(Number.NaN)
  expect(await textOf([readCopy(await copyOf(registry))])).not.toMatch(/^g /m)
})
