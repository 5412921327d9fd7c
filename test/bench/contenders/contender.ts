// What it takes to take part: a name, a version, and how to start it in front of a federation.
import { execFileSync } from 'node:child_process'
import type { Capacity } from '../capacity.ts'
import { findProgram } from '../machine.ts'
import type { Upstreams } from '../federation.ts'

export type Part = 'cpu' | 'faults' | 'saturation'

/** What a scenario asks for beyond the defaults, where a contender has it. */
export type Extra = 'classes' | 'coalescing'

export interface Place {
  readonly port: number
  /** For operators' listeners: metrics, health. */
  readonly adminPort: number
  /** A folder of its own, empty, absolute. */
  readonly folder: string
  readonly upstreams: Upstreams
  /** For a contender that must be told; null where nodes have no limit. */
  readonly capacity: Capacity | null
  readonly extras: readonly Extra[]
}

export interface Launch {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Written into the folder before the start, by name. */
  readonly files?: Readonly<Record<string, string>>
}

export interface Contender {
  readonly name: string
  /** As tables show it. */
  readonly title: string
  /** What it is measured in. */
  readonly parts: readonly Part[]
  /** False: answers by itself, for reference. */
  readonly proxies: boolean
  /** Null where it is not installed. */
  version(): string | null
  launch(place: Place): Launch
}

/** The first thing that looks like a version in what the program says of itself; null where it is not installed. */
export function installedVersion(name: string, flag: string): string | null {
  const file = findProgram(name)
  if (file === null) return null
  // nginx tells its version on standard error.
  const said = execFileSync('sh', ['-c', `"${file}" ${flag} 2>&1`], { encoding: 'utf8', timeout: 10_000 })
  return /\d+\.\d+(\.\d+)?/.exec(said)?.[0] ?? 'unknown'
}

export const address = (port: number): string => `127.0.0.1:${port}`
