// A federation of real processes: one gateway and its nodes, each of which can be killed, frozen or made to misbehave.
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { z } from 'zod'
import type { Behaviour } from './fault-node.ts'

const script = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Ports of a ready child, whichever kind. */
const readyMessage = z.object({
  port: z.number().optional(),
  publicPort: z.number().optional(),
  adminPort: z.number().optional(),
})
type Ready = z.output<typeof readyMessage>

/** Starts a script and resolves with its first message. Rejects with what it said if it ends before. */
function start(path: string, args: readonly string[]): Promise<{ child: ChildProcess; ready: Ready }> {
  const child = fork(path, [...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] })
  // A child that a failed test left behind must not keep the runner from ending; it ends with the channel.
  child.unref()
  child.channel?.unref()
  let said = ''
  child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve({ child, ready: readyMessage.parse(message) }))
    child.once('exit', (code) => reject(new Error(`${path} ended with ${code}: ${said}`)))
  })
}

export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  child.kill('SIGCONT')
  await exited
}

/** One node's process. It comes back on the same port. */
export class NodeProcess {
  readonly name: string
  readonly port: number
  private child: ChildProcess

  private constructor(name: string, port: number, child: ChildProcess) {
    this.name = name
    this.port = port
    this.child = child
  }

  static async start(name: string): Promise<NodeProcess> {
    const { child, ready } = await start(script('./fault-node.ts'), ['0', name])
    return new NodeProcess(name, ready.port ?? 0, child)
  }

  kill(): Promise<void> {
    return endProcess(this.child)
  }

  /** Alive for the kernel, dead for everybody else. */
  freeze(): void {
    this.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.child.kill('SIGCONT')
  }

  async restart(): Promise<void> {
    this.child = (await start(script('./fault-node.ts'), [String(this.port), this.name])).child
  }

  behave(behaviour: Partial<Behaviour>): void {
    this.child.send(behaviour)
  }
}

export interface Federation extends AsyncDisposable {
  readonly url: string
  readonly adminUrl: string
  readonly gateway: ChildProcess
  readonly configFile: string
  readonly local: readonly NodeProcess[]
  readonly neighbour: NodeProcess
  readonly province: NodeProcess
  readonly nodes: readonly NodeProcess[]
}

/** Two local nodes of 610100, neighbour 610400, province 610000, and a gateway in front, with the shipped defaults. */
export async function startFederation(changes: Record<string, unknown> = {}): Promise<Federation> {
  const nodes = await Promise.all(
    ['xian-1', 'xian-2', 'xianyang-1', 'shaanxi-1'].map((name) => NodeProcess.start(name)),
  )
  const [first, second, neighbour, province] = nodes
  if (first === undefined || second === undefined || neighbour === undefined || province === undefined) {
    throw new Error('four nodes were started')
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'chiyuan-e2e-'))
  const configFile = join(dataDir, 'gateway.yaml')
  await writeFile(configFile, federationYaml(dataDir, nodes, changes))
  const { child, ready } = await start(script('../../gateway/cli/main.ts'), [
    'gateway',
    '--config',
    configFile,
  ])
  return {
    url: `http://127.0.0.1:${ready.publicPort}`,
    adminUrl: `http://127.0.0.1:${ready.adminPort}`,
    gateway: child,
    configFile,
    local: [first, second],
    neighbour,
    province,
    nodes,
    async [Symbol.asyncDispose]() {
      await endProcess(child, 'SIGTERM')
      await Promise.all(nodes.map((node) => node.kill()))
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export function federationYaml(
  dataDir: string,
  nodes: readonly NodeProcess[],
  changes: Record<string, unknown> = {},
): string {
  const at = (i: number) => ({ id: nodes[i]?.name, url: `http://127.0.0.1:${nodes[i]?.port}` })
  return stringify({
    dataDir,
    public: { port: 0 },
    admin: { port: 0 },
    home: { default: '610100' },
    logFormat: 'text',
    drainTimeoutMs: 3000,
    health: { path: '/healthz' },
    regions: [
      { code: '610100', name: { zh: '西安', en: 'Xian' }, neighbours: ['610400'], nodes: [at(0), at(1)] },
      { code: '610400', name: { zh: '咸阳', en: 'Xianyang' }, nodes: [at(2)] },
      { code: '610000', name: { zh: '陕西', en: 'Shaanxi' }, tier: 'province', nodes: [at(3)] },
    ],
    ...changes,
  })
}
