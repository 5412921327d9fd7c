// The demo federation as `npm start` runs it, in a folder of its own, whose parts can be killed by name.
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))

export class RunningDemo implements AsyncDisposable {
  readonly url: string
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #said: () => string

  private constructor(parts: { url: string; child: ChildProcess; folder: string; said: () => string }) {
    this.url = parts.url
    this.#child = parts.child
    this.#folder = parts.folder
    this.#said = parts.said
  }

  /** @param firstPort Takes ten ports: public, operators', five nodes' and three for peers. */
  static async start(firstPort: number): Promise<RunningDemo> {
    const folder = await mkdtemp(join(tmpdir(), 'chiyuan-demo-'))
    const ports = ['--public-port', '--admin-port', '--node-port'].flatMap((flag, nth) => [
      flag,
      String(firstPort + nth),
    ])
    const child = spawn(process.execPath, [cli, 'start', ...ports], { cwd: folder, stdio: 'pipe' })
    let said = ''
    const listen = (chunk: Buffer): void => void (said += chunk.toString())
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.once('exit', () => void (said += 'ended'))
    while (!/Ctrl-C to stop all|ended/.test(said)) await new Promise((resolve) => setTimeout(resolve, 20))
    if (said.endsWith('ended')) throw new Error(said)
    return new RunningDemo({ url: `http://127.0.0.1:${firstPort}`, child, folder, said: () => said })
  }

  /** Where its `data` is. */
  get folder(): string {
    return this.#folder
  }

  /** Outright, and for good. */
  kill(...parts: readonly string[]): void {
    for (const part of parts) {
      const row = new RegExp(`^ *${part}.*?http://127\\.0\\.0\\.1:\\d+\\s+(\\d+)$`, 'm').exec(this.#said())
      if (row === null) throw new Error(`the demo has no part ${part}`)
      process.kill(Number(row[1]), 'SIGKILL')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      await ended
    }
    await rm(this.#folder, { recursive: true, force: true })
  }
}
