// A gateway of two real workers is measured as one; a frozen worker is missed after a second, and said to be.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from '@jest/globals'
import { stringify } from 'yaml'
import { z } from 'zod'
import { operatorEventSchema } from '../../gateway/admin/schemas/events.ts'
import { readingsSchema } from '../../gateway/admin/schemas/readings.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import type { OperatorEvent } from '../../gateway/model/happening.ts'
import type { Readings } from '../../gateway/model/readings.ts'
import { eventually } from '../support/eventually.ts'
import { aHold, putHold } from '../support/holds.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const script = fileURLToPath(new URL('../support/measured-crew.ts', import.meta.url))

async function hear<T>(child: ChildProcess, what: string, schema: z.ZodType<T>): Promise<T> {
  const answer = once(child, 'message')
  child.send(what)
  const [message]: unknown[] = await answer
  return schema.parse(message)
}

const readingsOf = async (child: ChildProcess): Promise<Readings> =>
  (await hear(child, 'readings', z.object({ readings: readingsSchema }))).readings
const eventsOf = async (child: ChildProcess): Promise<readonly OperatorEvent[]> =>
  (await hear(child, 'events', z.object({ events: z.array(operatorEventSchema) }))).events

/** Processes whose parent is `pid`, as Linux tells them. */
async function childrenOf(pid: number): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const stats = await Promise.all(pids.map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')))
  return pids.flatMap((name, i) =>
    stats[i]?.split(') ')[1]?.split(' ')[1] === String(pid) ? [Number(name)] : [],
  )
}

async function ask(port: number): Promise<string> {
  const [answer] = await once(
    get({ port, host: '127.0.0.1', path: '/v1/codes/R1', agent: false }),
    'response',
  )
  return text(answer)
}

it('two workers’ readings and events', async () => {
  await using home = await httpUpstream(named('home'))
  await using neighbour = await httpUpstream(named('neighbour'))
  const dataDir = await mkdtemp(join(tmpdir(), 'chiyuan-readings-'))
  const configFile = join(dataDir, 'gateway.yaml')
  const region = (code: string, id: string, url: string) => ({
    code,
    name: { zh: code, en: code },
    nodes: [{ id, url, limit: 40 }],
  })
  await writeFile(
    configFile,
    stringify({
      dataDir,
      public: { port: 0 },
      admin: { port: 0 },
      home: { default: '610100' },
      drainTimeoutMs: 1000,
      regions: [
        { ...region('610100', 'xian-1', home.url), neighbours: ['610400'] },
        region('610400', 'xianyang-1', neighbour.url),
      ],
    }),
  )
  const child = fork(script, [configFile], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] })
  const exited = once(child, 'exit')
  await using ending = new AsyncDisposableStack()
  ending.defer(() => rm(dataDir, { recursive: true, force: true }))
  ending.defer(async () => {
    for (const pid of await childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGCONT')
    child.send('close')
    await exited
  })
  const [ready]: unknown[] = await once(child, 'message')
  const { publicPort } = z.object({ publicPort: z.number() }).parse(ready)
  for (let i = 0; i < 60; i++) expect(await ask(publicPort)).toBe('home')

  const both = await readingsOf(child)
  expect(both.gateway.workers).toEqual({ ready: 2, of: 2, missing: [] })
  // 40 as declared, in two parts; together what one process would tell.
  expect(both.nodes.map(({ node, knownLimit }) => [node, knownLimit])).toEqual([
    ['xian-1', 40],
    ['xianyang-1', 40],
  ])
  expect(both.nodes[0]?.rps).toBeCloseTo(both.homes[0]?.rps ?? 0, 0)
  expect(both.homes[0]?.byLevel.map(({ level }) => level)).toEqual(['local'])

  // Both read it in the registry themselves.
  await using elsewhere = openEmbeddedRegistry(join(dataDir, 'chiyuan.db'))
  await putHold(elsewhere, aHold('xian-1', 'trip', Date.now() + 60_000))
  await eventually(async () => {
    const holds = (await eventsOf(child)).filter(({ happening }) => happening.kind === 'hold')
    expect(holds).toMatchObject([{ node: 'xian-1', seenBy: 2 }])
  }, 5000)
  expect((await readingsOf(child)).nodes[0]).toMatchObject({ hold: 'trip', serving: 'held', lending: 'held' })

  const [frozen = 0] = await childrenOf(child.pid ?? 0)
  expect(frozen).toBeGreaterThan(1)
  process.kill(frozen, 'SIGSTOP')
  const askedAt = performance.now()
  const { workers } = (await readingsOf(child)).gateway
  expect(workers).toMatchObject({ ready: 1, of: 2 })
  expect(workers.missing).toHaveLength(1)
  expect(performance.now() - askedAt).toBeGreaterThan(900)
})
