// The machine that is measured on: what to write beside the figures, and which cores to pin to.
import { execFileSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { delimiter, join } from 'node:path'

/** Cores in `taskset` notation. */
export interface Pinning {
  /** The one core of the contender. */
  readonly proxy: string
  /** Upstream nodes, load and this program. */
  readonly load: string
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly system: string
  readonly node: string
  readonly pinning: Pinning | null
}

/** Debian keeps nginx and haproxy in sbin, which an ordinary user's PATH lacks. */
const searched = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']

/** Path of an installed program, or null. */
export function findProgram(name: string): string | null {
  for (const folder of searched) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not in this folder.
    }
  }
  return null
}

/** Cores that this process may use, as numbers. */
function allowedCores(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8')
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? '0'
  return list.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
}

/** Null where there is one core only, or no taskset. */
export function choosePinning(): Pinning | null {
  const [first, ...rest] = allowedCores()
  if (first === undefined || rest.length === 0 || findProgram('taskset') === null) return null
  return { proxy: String(first), load: rest.join(',') }
}

/** Keeps this program itself off the contender's core. */
export function pinMyself(pinning: Pinning): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', pinning.load, String(process.pid)], {
    stdio: 'ignore',
  })
}

export function describeMachine(pinning: Pinning | null): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    pinning,
  }
}
