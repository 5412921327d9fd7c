// `npm start` as a stranger meets it: it tells what to try, the things to try work, and Ctrl-C leaves nothing behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import type { z } from 'zod'
import { codeAnswer } from '../../region-node/http/answers.ts'
import { emptyLists, takeTrustList } from '../../region-node/verify/lists.ts'
import { readRoots } from '../../region-node/verify/roots.ts'
import type { Verdict } from '../../region-node/verify/verdict.ts'
import { verifyCode } from '../../region-node/verify/verify-code.ts'
import { eventually } from '../support/eventually.ts'
import { mustTake } from '../region-node/verify/hand-signed.ts'

const cli = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))
// Away from the defaults, which a developer's own demo may hold.
const ports = ['--public-port', '18080', '--admin-port', '18081', '--node-port', '19101']

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chiyuan-demo-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

class Demo {
  readonly child: ChildProcess
  said = ''
  private readonly waiting = new Set<() => void>()

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [cli, 'start', ...args], { cwd: folder, stdio: 'pipe' })
    const onData = (chunk: Buffer): void => {
      this.said += chunk.toString()
      for (const look of this.waiting) look()
    }
    this.child.stdout?.on('data', onData)
    this.child.stderr?.on('data', onData)
  }

  /** Resolves with the match once it has been said. */
  hears(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.said)
        if (match === null) return
        this.waiting.delete(look)
        resolve(match)
      }
      this.waiting.add(look)
      this.child.once('exit', () => reject(new Error(`ended before ${pattern}: ${this.said}`)))
      look()
    })
  }

  /** Ids of all its processes but its own, as its table tells them. */
  pids(): number[] {
    return [...this.said.matchAll(/http:\/\/127\.0\.0\.1:\d+\s+(\d+)$/gm)].map(([, pid]) => Number(pid))
  }
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** What a checkpoint makes of it, by the lists that any gateway gives. */
async function verdictOn(text: string): Promise<Verdict> {
  const nowMs = Date.now()
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:18080/v1/${path}`)).text()
  const root = await readRoots(JSON.parse(await ask('trust-root')))
  if (!root.ok) throw new Error(root.detail)
  const lists = mustTake(await takeTrustList(emptyLists(root.roots), await ask('trust-list'), { nowMs }))
  return verifyCode(text, lists, { nowMs })
}

const shown = async (): Promise<z.infer<typeof codeAnswer>> =>
  codeAnswer.parse(await (await fetch('http://127.0.0.1:18080/v1/codes/R610100-000001')).json())

const code = async (): Promise<[number, string | null]> => {
  const response = await fetch('http://127.0.0.1:18080/v1/codes/R610100-000001')
  await response.arrayBuffer()
  return [response.status, response.headers.get('x-chiyuan-route')]
}

it('serves, survives what it tells you to try, restarts the dead, and stops whole', async () => {
  const demo = new Demo(ports)
  const [, victims = ''] = await demo.hears(/kill -9 (\d+ \d+)/)
  await demo.hears(/Ctrl-C to stop all/)
  expect(demo.pids()).toHaveLength(6)
  expect(await code()).toEqual([200, expect.stringContaining('level=local')])
  // What one home node takes, every node that may stand in shows; the colour is no better for home's death.
  const sample = { residentId: 'R610100-000001', result: 'positive', sampledAt: '2022-01-04T09:00:00+08:00' }
  const taken = await fetch('http://127.0.0.1:18080/v1/tests', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'k1' },
    body: JSON.stringify(sample),
  })
  expect(taken.status).toBe(201)
  await eventually(async () => {
    for (const port of [19101, 19102, 19103]) {
      const answer = await fetch(`http://127.0.0.1:${port}/v1/codes/R610100-000001`)
      expect(await answer.json()).toMatchObject({ status: 'red' })
    }
  })
  const atHome = await shown()
  expect(await verdictOn(atHome.code)).toMatchObject({ outcome: 'valid', delegated: false })
  for (const pid of victims.split(' ')) process.kill(Number(pid), 'SIGKILL')
  await demo.hears(/xian-2 ended by SIGKILL/)
  for (let i = 0; i < 30; i++) expect(await code()).toEqual([200, expect.stringContaining('level=neighbour')])
  // The donor's answer has the same shape, is believed under its agreement, and the colour is home's.
  const away = await shown()
  expect(Object.keys(away)).toEqual(Object.keys(atHome))
  expect(away).toMatchObject({ issuer: '610400', status: 'red' })
  expect(['replica', 'stale']).toContain(away.freshness)
  expect(await verdictOn(away.code)).toMatchObject({
    outcome: 'valid',
    delegated: true,
    claims: { iss: '610400', hom: '610100', st: atHome.status },
  })
  await demo.hears(/failed over to neighbour 610400/)
  const metrics = await (await fetch('http://127.0.0.1:18081/metrics')).text()
  expect(metrics).toMatch(/chiyuan_failovers_total\{home="610100",level="neighbour",region="610400"\} \d+/)
  demo.child.stdin?.write('\n')
  await demo.hears(/xian-1 started again/)
  await demo.hears(/xian-2 started again/)
  const family = demo.pids()
  demo.child.kill('SIGINT')
  expect(await once(demo.child, 'exit')).toEqual([0, null])
  expect(demo.said).toContain('nothing left behind')
  expect(family.filter(alive)).toEqual([])
}, 60_000)

it('goes on when whoever read its words has gone', async () => {
  const demo = new Demo(ports)
  const [, victim = ''] = await demo.hears(/kill -9 (\d+) \d+/)
  await demo.hears(/Ctrl-C to stop all/)
  const family = demo.pids()
  demo.child.stdout?.destroy()
  demo.child.stderr?.destroy()
  // Each of these has it say something.
  process.kill(Number(victim), 'SIGKILL')
  for (let i = 0; i < 5; i++) {
    demo.child.stdin?.write('\n')
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect((await code())[0]).toBe(200)
  }
  demo.child.kill('SIGINT')
  expect(await once(demo.child, 'exit')).toEqual([0, null])
  expect(family.filter(alive)).toEqual([])
}, 60_000)

it('killed outright, it takes its processes with it', async () => {
  const demo = new Demo(ports)
  await demo.hears(/Ctrl-C to stop all/)
  const family = demo.pids()
  demo.child.kill('SIGKILL')
  await once(demo.child, 'exit')
  while (family.some(alive)) await new Promise(setImmediate)
}, 60_000)

it.each([
  { flag: '--public-port', port: 18080 },
  { flag: '--node-port', port: 19103 },
])(
  'says what to do about a taken port ($port)',
  async ({ flag, port }) => {
    const taken = createServer().listen(port, '127.0.0.1')
    await once(taken, 'listening')
    const demo = new Demo(ports)
    const [exit] = await once(demo.child, 'close')
    taken.close()
    expect(exit).toBe(1)
    expect(demo.said).toContain(String(port))
    expect(demo.said).toContain(flag)
    expect(demo.said).not.toMatch(/\n\s+at /)
  },
  60_000,
)
