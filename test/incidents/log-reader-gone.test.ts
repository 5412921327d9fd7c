// A gateway piped into a log shipper ended with it: the next line met a closed pipe, and nobody listened for that error.
// And one whose shipper only stood still stood still with it, since JSON lines waited for room in the pipe.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from '@jest/globals'
import { stringify } from 'yaml'
import { z } from 'zod'
import { eventually } from '../support/eventually.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const command = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))
const ready = z.object({ publicPort: z.number(), adminPort: z.number() })

interface Piped extends AsyncDisposable {
  readonly child: ChildProcess
  readonly file: string
  /** Status and body of an answer to a resident. */
  ask(): Promise<[number, string]>
  metric(line: string): Promise<boolean>
}

async function piped(nodeUrl: string, logFormat: string, workers: number): Promise<Piped> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chiyuan-log-'))
  const file = join(dataDir, 'gateway.yaml')
  const nodes = [{ id: 'xian-1', url: nodeUrl }]
  const regions = [{ code: '610100', name: { zh: '西安', en: 'Xian' }, nodes }]
  const home = { default: '610100' }
  const ports = { public: { port: 0 }, admin: { port: 0 } }
  await writeFile(file, stringify({ ...ports, dataDir, home, logFormat, regions }))
  const child = fork(command, ['gateway', '--config', file, '--workers', String(workers)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
  })
  const [message]: unknown[] = await once(child, 'message')
  const { publicPort, adminPort } = ready.parse(message)
  return {
    child,
    file,
    async ask() {
      const signal = AbortSignal.timeout(3000)
      const answer = await fetch(`http://127.0.0.1:${publicPort}/v1/codes/R1`, { signal })
      return [answer.status, await answer.text()]
    },
    async metric(line) {
      return (await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()).includes(line)
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL')
        await once(child, 'exit')
      }
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

it.each([
  { logFormat: 'text', workers: 1 },
  { logFormat: 'json', workers: 1 },
  { logFormat: 'text', workers: 2 },
])(
  '$logFormat lines that nobody reads any longer end nothing ($workers workers)',
  async ({ logFormat, workers }) => {
    await using node = await httpUpstream(named('xian-1'))
    await using gateway = await piped(node.url, logFormat, workers)
    gateway.child.stdout?.destroy()
    gateway.child.stderr?.destroy()
    await writeFile(gateway.file, 'no: configuration')
    // Each has a line of its own; the second would meet what the first left.
    for (const refused of [1, 2]) {
      gateway.child.kill('SIGHUP')
      await eventually(async () => {
        expect(await gateway.metric(`what="configuration"} ${refused}`)).toBe(true)
      }, 5000)
    }
    // The nodes' health is told by the workers.
    await node.close()
    await using back = await httpUpstream(named('back'), { port: node.port })
    expect(back.port).toBe(node.port)
    await eventually(async () => expect(await gateway.ask()).toEqual([200, 'back']), 10_000)
    gateway.child.kill('SIGTERM')
    expect(await once(gateway.child, 'exit')).toEqual([0, null])
  },
  40_000,
)

it.each(['text', 'json'])(
  '%s lines for a reader who stands still hold up nobody',
  async (logFormat) => {
    await using node = await httpUpstream(named('xian-1'))
    await using gateway = await piped(node.url, logFormat, 1)
    // A thousand faults in one line, some 380 KB: more than a pipe holds.
    await writeFile(gateway.file, Array.from({ length: 1000 }, (_, i) => `fault${i}: 1\n`).join(''))
    for (let i = 0; i < 4; i++) {
      gateway.child.kill('SIGHUP')
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(await gateway.ask()).toEqual([200, 'xian-1'])
    }
    gateway.child.kill('SIGTERM')
    expect(await once(gateway.child, 'exit')).toEqual([0, null])
  },
  40_000,
)
