// Runs the `chiyuan` command as a person would: a process of its own, by its arguments and standard input.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

export interface Ended {
  readonly code: unknown
  readonly stdout: string
  readonly stderr: string
}

export const chiyuan = (...args: string[]): Promise<Ended> => chiyuanReading('', ...args)

export async function chiyuanReading(input: string, ...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, ['gateway/cli/main.ts', ...args], { stdio: 'pipe' })
  // One that ends without reading breaks the pipe, which is no fault of the test.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code, stdout, stderr }
}
