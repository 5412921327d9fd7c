// A gateway as its operator starts it: the command in a process of its own, with an environment that a test chooses.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { z } from 'zod'

const command = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))
const ready = z.object({ publicPort: z.number(), adminPort: z.number() })

export interface CommandGateway extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly adminUrl: string
  /** All that it wrote so far, to either output. */
  readonly said: string
  hangUp(): void
  /** Value of one line of /metrics, 0 where it is not there. */
  metric(name: string, labels?: string): Promise<number>
  /** Writes a new file in place of the one it was started with; it follows by itself. */
  reload(config: Record<string, unknown>): Promise<void>
}

export async function commandGateway(
  config: Record<string, unknown>,
  env: Record<string, string>,
): Promise<CommandGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chiyuan-command-'))
  const file = join(dataDir, 'gateway.yaml')
  const ports = { public: { port: 0 }, admin: { port: 0 } }
  const write = (next: Record<string, unknown>): Promise<void> =>
    writeFile(file, stringify({ dataDir, ...ports, drainTimeoutMs: 0, ...next }))
  await write(config)
  const child = fork(command, ['gateway', '--config', file], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    env: { ...process.env, ...env },
  })
  let said = ''
  for (const output of [child.stdout, child.stderr]) {
    output?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  }
  const exited = once(child, 'exit')
  const message: unknown = await Promise.race([
    once(child, 'message').then(([first]: unknown[]) => first),
    exited.then(() => Promise.reject(new Error(`the gateway ended: ${said}`))),
  ])
  const { publicPort, adminPort } = ready.parse(message)
  return {
    url: `http://127.0.0.1:${publicPort}`,
    port: publicPort,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    get said() {
      return said
    },
    hangUp: () => void child.kill('SIGHUP'),
    reload: write,
    async metric(name, labels) {
      const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
      const wanted = labels === undefined ? `${name} ` : `${name}{${labels}} `
      const line = text.split('\n').find((candidate) => candidate.startsWith(wanted))
      return line === undefined ? 0 : Number(line.slice(wanted.length))
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
