// Every process that the benchmark starts: pinned, watched, and ended by its own pid whatever happens.
import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { processTree } from './cpu-time.ts'
import { findProgram } from './machine.ts'

export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** In `taskset` notation; null leaves the choice to the system. */
  readonly cores: string | null
  /** Opens a channel for messages. */
  readonly ipc?: boolean
}

const keptOutput = 16_384
const alive = new Set<Started>()
const setpriv = findProgram('setpriv')

export class Started {
  readonly child: ChildProcess
  readonly pid: number
  /** Resolves at its end. */
  readonly ended: Promise<void>
  private said = ''
  private over = false

  constructor(child: ChildProcess, name: string) {
    // Neither a message to a process that has just been killed nor a failed start, told below, is news.
    child.on('error', () => {})
    if (child.pid === undefined) throw new Error(`${name} can't be started`)
    this.child = child
    this.pid = child.pid
    const hear = (chunk: Buffer): void => {
      this.said = (this.said + chunk.toString()).slice(-keptOutput)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    this.ended = new Promise((resolve) => {
      child.once('close', () => {
        this.over = true
        alive.delete(this)
        resolve()
      })
    })
    alive.add(this)
  }

  get isOver(): boolean {
    return this.over
  }

  /** The last that it wrote, both streams together. */
  get output(): string {
    return this.said
  }

  signal(name: NodeJS.Signals): void {
    if (!this.over) this.child.kill(name)
  }

  /** Asks it to end, then makes it and its children end. */
  async stop(graceMs = 3000): Promise<void> {
    if (this.over) return
    const tree = processTree(this.pid)
    this.signal('SIGTERM')
    this.signal('SIGCONT')
    await Promise.race([this.ended, sleep(graceMs, undefined, { ref: false })])
    if (this.over) return
    for (const pid of tree) killNow(pid)
    await this.ended
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.ended
  }
}

/** `SIGTERM` by the kernel when this program dies without a word; a group of its own, so that Ctrl-C is ours to pass on. */
export function start({ file, args, env, cores, ipc = false }: Command): Started {
  const guarded = setpriv === null ? [] : [setpriv, '--pdeathsig', 'TERM']
  const pinned = cores === null ? [] : ['taskset', '--cpu-list', cores]
  const [program = file, ...rest] = [...pinned, ...guarded, file, ...args]
  const child = spawn(program, rest, {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ipc ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
  })
  return new Started(child, file)
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Ended meanwhile.
  }
}

/** For the last moment: no waiting. */
export function killAll(): void {
  for (const started of alive) for (const pid of processTree(started.pid)) killNow(pid)
}
