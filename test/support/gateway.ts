// A whole gateway in this process, on ports of the system's choice, in front of whatever nodes a test has made.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { stringify } from 'yaml'
import { parseConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import { type Gateway, startGateway } from '../../gateway/compose.ts'

/** A region as a test writes it: its code and its nodes' addresses by name. */
export interface TestRegion {
  readonly code: string
  readonly tier?: 'city' | 'province' | 'nation'
  readonly neighbours?: readonly string[]
  /** Whether it takes nodes of a catalogue; by default where it has none. */
  readonly discover?: boolean
  readonly nodes: Readonly<Record<string, string>>
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway
  /** `http://127.0.0.1:PORT` of the residents' listener. */
  readonly url: string
  readonly port: number
  readonly adminUrl: string
  /** The parsed configuration; `reload` takes the same shape of changes as `startTestGateway`. */
  readonly config: Config
  /** Value of one line of /metrics, 0 where it is not there. `labels` as Prometheus writes them. */
  metric(name: string, labels?: string): Promise<number>
  close(): Promise<void>
}

/**
 * Settings that make health and breakers move within a test's patience. Without hedges, which a machine that pauses
 * would set off where no node is slow: a test that is about them turns them on.
 */
export const quick = {
  hedging: { enabled: false },
  // What the tests' small nodes answer at.
  health: {
    path: '/healthz',
    intervalMs: 200,
    fastIntervalMs: 50,
    downIntervalMs: 100,
    timeoutMs: 300,
    rise: 2,
    fall: 2,
  },
  breaker: { windowMs: 1000, resetTimeoutMs: 1100, slowStartMs: 500 },
  drainTimeoutMs: 2000,
}

/** Merges `changes`, section by section, into the least configuration for `regions`. */
export function testConfig(
  regions: readonly TestRegion[],
  dataDir: string,
  changes: Record<string, unknown> = {},
): Config {
  const raw: Record<string, unknown> = {
    dataDir,
    logLevel: 'silent',
    ...quick,
    public: { port: 0 },
    // Making the first token takes longer than most tests do.
    admin: { port: 0, api: false },
    // Where all nodes of tests are.
    enrolment: { networks: ['127.0.0.0/8', '::1/128'] },
    home: { default: regions[0]?.code ?? '610100' },
    regions: regions.map(({ code, tier = 'city', neighbours = [], discover, nodes }) => ({
      code,
      name: { zh: code, en: code },
      tier,
      neighbours,
      ...(discover !== undefined && { discover }),
      nodes: Object.entries(nodes).map(([id, url]) => ({ id, url })),
    })),
  }
  for (const [section, value] of Object.entries(changes)) {
    const before = raw[section]
    const mergeable = isSection(before) && isSection(value)
    raw[section] = mergeable ? { ...before, ...value } : value
  }
  return parseConfig(stringify(raw), 'test.yaml')
}

const isSection = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export async function startTestGateway(
  regions: readonly TestRegion[],
  changes: Record<string, unknown> = {},
): Promise<TestGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chiyuan-test-'))
  const config = testConfig(regions, dataDir, changes)
  const gateway = await startGateway(config, pino({ level: 'silent' }))
  const scheme = config.public.tls === undefined ? 'http' : 'https'
  const adminUrl = `http://127.0.0.1:${gateway.adminPort}`
  const close = async (): Promise<void> => {
    await gateway.close()
    await rm(dataDir, { recursive: true, force: true })
  }
  return {
    gateway,
    config,
    port: gateway.publicPort,
    url: `${scheme}://127.0.0.1:${gateway.publicPort}`,
    adminUrl,
    async metric(name, labels = '') {
      const text = await (await fetch(`${adminUrl}/metrics`, { headers: { connection: 'close' } })).text()
      const wanted = labels === '' ? `${name} ` : `${name}{${labels}} `
      const line = text.split('\n').find((candidate) => candidate.startsWith(wanted))
      return line === undefined ? 0 : Number(line.slice(wanted.length))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
