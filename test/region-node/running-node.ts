// Starts real nodes for tests: in this process on a free port, or as a process of their own.
import { spawn } from 'node:child_process'
import type { ChildProcess, ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { startRegionNode } from '../../region-node/main.ts'
import type { RegionNode, RegionNodeOptions } from '../../region-node/main.ts'
import { signingWorld } from './signing-world.ts'

export const CLI = fileURLToPath(new URL('../../region-node/cli.ts', import.meta.url))

export const CHIYUAN = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))

/** A resident of Xi'an whom every node that holds 610100 knows. */
export const RESIDENT = 'R610100-000001'

/** With keys of its region, and a trust list by which all stand in for each other, unless told otherwise. */
export async function startTestNode(options: RegionNodeOptions = {}): Promise<RegionNode> {
  const { regionCode = '610100', clock = Date.now } = options
  const signing = await (await signingWorld()).optionsFor(regionCode, clock())
  return startRegionNode({ port: 0, residents: 20, ...signing, ...options })
}

/** A folder that is gone when the test is. */
export function temporaryFolder(): Disposable & { file(name: string): string } {
  const folder = mkdtempSync(join(tmpdir(), 'region-node-'))
  return {
    file: (name) => join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export interface NodeProcess extends AsyncDisposable {
  readonly child: ChildProcess
  readonly url: string
  readonly port: number
  /** Port of the listener for peers; null where there is none. */
  readonly peerPort: number | null
  /** All of standard output, known when the process has ended. */
  readonly stdout: Promise<string>
  /** Exit code and signal, known when the process has ended. */
  readonly ended: Promise<unknown[]>
}

const readyMessage = z.object({ type: z.literal('ready'), port: z.int(), peerPort: z.int().nullable() })

/** Resolves when the process has said that it is ready. */
export async function spawnNode(...flags: string[]): Promise<NodeProcess> {
  const at = flags.indexOf('--region')
  const keys = (await signingWorld()).keys(at === -1 ? '610100' : (flags[at + 1] ?? ''))
  const child = spawn(process.execPath, [CLI, '--port', '0', '--residents', '20', '--keys', keys, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  if (!child.stdout) throw new Error('standard output is not piped')
  const ended = once(child, 'exit')
  const stdout = text(child.stdout)
  const [message] = await Promise.race([once(child, 'message'), ended])
  const { port, peerPort } = readyMessage.parse(message)
  return {
    child,
    url: `http://127.0.0.1:${port}`,
    port,
    peerPort,
    stdout,
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

export interface Ended {
  readonly code: unknown
  readonly stdout: string
  readonly stderr: string
}

/** Runs `region-node` to its end. */
export const runToEnd = (...flags: string[]): Promise<Ended> => toEnd(startPiped(CLI, ...flags))

/** Starts `chiyuan`. */
export const startChiyuan = (...args: string[]): PipedProcess => startPiped(CHIYUAN, ...args)

/** Runs `chiyuan` to its end. */
export const runChiyuan = (...args: string[]): Promise<Ended> => toEnd(startChiyuan(...args))

export type PipedProcess = ChildProcessByStdio<Writable, Readable, Readable>

const startPiped = (...args: string[]): PipedProcess =>
  spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })

export async function toEnd(child: PipedProcess): Promise<Ended> {
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, stdout, stderr }
}
