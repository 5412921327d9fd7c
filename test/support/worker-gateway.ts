// A gateway of several worker processes as its operator starts it, each of which a test can stop or kill.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { z } from 'zod'
import { eventually } from './eventually.ts'

const command = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))
const ready = z.object({ publicPort: z.number(), adminPort: z.number() })
const logLine = z.looseObject({
  msg: z.string(),
  event: z.string().optional(),
  worker: z.number().optional(),
  place: z.number().optional(),
  pid: z.number().optional(),
})
export type LogLine = z.output<typeof logLine>

export interface WorkerGateway extends AsyncDisposable {
  readonly port: number
  readonly adminUrl: string
  readonly configFile: string
  readonly dataDir: string
  readonly pid: number
  /** Lines logged so far, by the primary and its workers. */
  readonly log: readonly LogLine[]
  /** Exit code and signal, once it has ended. */
  readonly exited: Promise<unknown[]>
  /** Process of the worker of a place, from 1. */
  pidOf(place: number): number
  /** Resolves with the first line that fits, logged already or yet to come. */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine>
  /** Text of /metrics. */
  metrics(): Promise<string>
}

/** Both nodes' addresses by region; `changes` replace whole sections of the configuration. */
export async function startWorkerGateway(
  regions: readonly { code: string; neighbours?: string[]; nodes: Record<string, string> }[],
  changes: Record<string, unknown> = {},
  workers = 2,
  env: NodeJS.ProcessEnv = {},
): Promise<WorkerGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chiyuan-workers-'))
  const configFile = join(dataDir, 'gateway.yaml')
  await writeFile(configFile, stringify({ ...minimal(dataDir, regions), ...changes }))
  // A group of its own, as a terminal gives to what it runs.
  const child = fork(command, ['gateway', '--config', configFile, '--workers', String(workers)], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    env: { ...process.env, ...env },
    detached: true,
  })
  const log: LogLine[] = []
  let complaint = ''
  let rest = ''
  child.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) log.push(logLine.parse(JSON.parse(line)))
  })
  const exited = once(child, 'exit')
  const message: unknown = await Promise.race([
    once(child, 'message').then(([first]: unknown[]) => first),
    exited.then(() => Promise.reject(new Error(`the gateway ended: ${complaint}`))),
  ])
  const { publicPort, adminPort } = ready.parse(message)
  const adminUrl = `http://127.0.0.1:${adminPort}`
  const pidOf = (place: number): number => {
    const pid = log.findLast((line) => line.event === 'worker-ready' && line.place === place)?.pid
    // Never a guess: a signal to process 0 would reach the test itself and all around it.
    if (pid === undefined || pid < 2) throw new Error(`worker ${place} has not been heard of`)
    return pid
  }
  const places = Array.from({ length: workers }, (_, i) => i + 1)
  // The log may be read after the word that all is ready.
  await eventually(() => void places.map(pidOf), 5000)
  return {
    port: publicPort,
    adminUrl,
    configFile,
    dataDir,
    pid: child.pid ?? 0,
    log,
    exited,
    pidOf,
    async logged(fits) {
      let found: LogLine | undefined
      await eventually(() => {
        found = log.find(fits)
        if (found === undefined) throw new Error(`not logged: ${JSON.stringify(log.slice(-5))}`)
      }, 8000)
      return found ?? { msg: '' }
    },
    metrics: async () => (await fetch(`${adminUrl}/metrics`, { headers: { connection: 'close' } })).text(),
    async [Symbol.asyncDispose]() {
      for (const place of places) signal(pidOf(place), 'SIGCONT')
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
      await eventually(() => {
        if (places.map(pidOf).some(alive)) throw new Error('a worker lives on')
      }, 8000)
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** A signal to a process that may have ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  if (alive(pid)) process.kill(pid, name)
}

export function alive(pid: number): boolean {
  if (pid < 2) return false
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Client ports of the connections to `port` that a process holds, as Linux tells them. */
export async function clientPortsOf(pid: number, port: number): Promise<Set<number>> {
  const { readdir, readlink } = await import('node:fs/promises')
  const folder = `/proc/${pid}/fd`
  const links = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')),
  )
  const inodes = new Set(links.map((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1]))
  const ports = new Set<number>()
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  for (const line of (await readFile('/proc/net/tcp', 'utf8')).split('\n')) {
    const [, local = '', remote = '', state, , , , , , inode] = line.trim().split(/\s+/)
    if (local.endsWith(`:${hex}`) && state === '01' && inodes.has(inode)) {
      ports.add(Number.parseInt(remote.slice(-4), 16))
    }
  }
  return ports
}

function minimal(
  dataDir: string,
  regions: readonly { code: string; neighbours?: string[]; nodes: Record<string, string> }[],
): Record<string, unknown> {
  return {
    dataDir,
    public: { port: 0 },
    admin: { port: 0 },
    home: { default: '610100' },
    drainTimeoutMs: 3000,
    health: { path: '/healthz' },
    regions: regions.map(({ code, neighbours = [], nodes }) => ({
      code,
      name: { zh: code, en: code },
      neighbours,
      nodes: Object.entries(nodes).map(([id, url]) => ({ id, url })),
    })),
  }
}
