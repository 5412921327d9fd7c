// `chiyuan start`: the demo federation, every part a real process, so that killing one is really killing one.
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { loadConfig } from '../../config/load.ts'
import type { Config } from '../../config/schema.ts'
import { errorText, UsageError } from '../model/errors.ts'
import { demoBanner } from './demo-banner.ts'
import { DemoPeers } from './demo-peers.ts'
import { DemoTrust } from './demo-trust.ts'

export interface DemoOptions {
  readonly publicPort?: number
  readonly adminPort?: number
  /** First of the ports of the region nodes: five for residents, three for peers. */
  readonly nodePort?: number
}

const defaults = { publicPort: 8080, adminPort: 8081, nodePort: 9101 }
const nodePorts = 5
/** Of the three cities' writers. */
const peerPorts = 3
const lastNodePort = 65_536 - nodePorts - peerPorts
const copiesWithinMs = 20_000
const dataDir = 'data'
const stopWithinMs = 20_000
const renewEveryMs = 8 * 3_600_000
const lossesEveryMs = 2_000
/** A terminal and a parent such as npm may both pass on one Ctrl-C. */
const sameKeyPressMs = 700

/** Starts gateway and nodes, tells how to play with them, and ends them all when told to. */
export async function startDemo(options: DemoOptions): Promise<void> {
  const { publicPort, adminPort, nodePort } = { ...defaults, ...options }
  // The demo goes on when whoever reads what it says has gone, such as `head`.
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {})
  if (nodePort < 1 || nodePort > lastNodePort) {
    throw new UsageError(
      `--node-port ${nodePort}: the five nodes need ports ${nodePort} to ${nodePort + nodePorts + peerPorts - 1}; choose one from 1 to ${lastNodePort}`,
    )
  }
  const configFile = await demoConfig(nodePort)
  const config = await loadConfig(configFile)
  const trust = new DemoTrust(join(dataDir, 'trust'), config.regions, writerFile)
  await trust.renew(Date.now())
  const peers = new DemoPeers(join(dataDir, 'peers'), config.regions, nodePort + nodePorts)
  await peers.prepare(Date.now())
  const federation = new DemoFederation(config, trust, peers)
  const stop = stopOnce(federation)
  try {
    await Promise.all([...nodesOf(config).keys()].map((id) => federation.startNode(id)))
    await federation.untilCopied()
    // By now the nodes have their data files, of whatever release those were.
    await trust.renewLosses(Date.now())
    await federation.startGateway(configFile, publicPort, adminPort)
  } catch (cause) {
    await federation.stop()
    throw cause
  }
  process.stdout.write(demoBanner(config, federation.pids(), { publicPort, adminPort }))
  federation.tellDeaths()
  // Lists are good for a day, and a demo may stay up for longer; its nodes see the new ones by themselves.
  setInterval(() => void told(trust.renew(Date.now())), renewEveryMs).unref()
  setInterval(() => void told(trust.renewLosses(Date.now())), lossesEveryMs).unref()
  const lines = createInterface({ input: process.stdin })
  lines.on('line', () => void federation.restartDead())
  federation.onGatewayEnd(() => {
    process.stderr.write('chiyuan: the gateway ended by itself; stopping the rest\n')
    stop()
    process.exitCode = 1
  })
}

async function told(renewal: Promise<void>): Promise<void> {
  try {
    await renewal
  } catch (cause) {
    process.stderr.write(`chiyuan: the lists were not renewed: ${errorText(cause)}\n`)
  }
}

const dataFileOf = (id: string): string => join(dataDir, 'nodes', `${id}.db`)

/** A city's first node is its writer; a province prints no paper. */
const writerFile = ({ tier, nodes: [first] }: Config['regions'][number]): string | null =>
  tier === 'city' && first !== undefined ? dataFileOf(first.id) : null

/** Region of every node, by node id. */
const nodesOf = (config: Config): Map<string, Config['regions'][number]> =>
  new Map(config.regions.flatMap((region) => region.nodes.map((node) => [node.id, region] as const)))

class DemoFederation {
  private readonly config: Config
  private readonly trust: DemoTrust
  private readonly peers: DemoPeers
  private readonly children = new Map<string, ChildProcess>()
  private stopping = false

  constructor(config: Config, trust: DemoTrust, peers: DemoPeers) {
    this.config = config
    this.peers = peers
    this.trust = trust
  }

  async startNode(id: string): Promise<void> {
    const region = nodesOf(this.config).get(id)
    const url = region?.nodes.find((node) => node.id === id)?.url
    if (region === undefined || url === undefined) return
    await mkdir(join(dataDir, 'nodes'), { recursive: true })
    const { keys, root, trustList, revocations } = this.trust.forRegion(region.code)
    const flags = {
      region: region.code,
      name: id,
      port: new URL(url).port,
      data: dataFileOf(id),
      keys,
      'trust-root': root,
      'trust-list': trustList,
      'notice-ms': '0',
    }
    const given = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
    // The province, the neighbours and a city's other nodes hold what its writer agreed to lend them.
    const following = this.peers.flagsFor(region, id)
    await this.start(id, ['region-node', ...given, ...following, '--revocations', ...revocations], 'quiet')
  }

  /** Resolves when every node has what it stands in with: a home may be killed as soon as people are told to. */
  async untilCopied(): Promise<void> {
    const until = performance.now() + copiesWithinMs
    const urls = this.config.regions.flatMap(({ nodes }) => nodes.map(({ url }) => url))
    while (!(await Promise.all(urls.map(hasCopies))).every(Boolean)) {
      if (performance.now() > until)
        throw new UsageError('the nodes did not copy from each other in time; run it again')
      await wait(20)
    }
  }

  async startGateway(configFile: string, publicPort: number, adminPort: number): Promise<void> {
    const ports = ['--public-port', String(publicPort), '--admin-port', String(adminPort)]
    const token = ['--first-token-file', join(dataDir, 'operator-token')]
    await this.start('gateway', ['gateway', '--config', configFile, ...ports, ...token], 'heard')
  }

  pids(): ReadonlyMap<string, number> {
    return new Map([...this.children].map(([name, child]) => [name, child.pid ?? 0]))
  }

  tellDeaths(): void {
    for (const [name, child] of this.children) this.tellDeath(name, child)
  }

  onGatewayEnd(ended: () => void): void {
    this.children.get('gateway')?.once('exit', () => {
      if (!this.stopping) ended()
    })
  }

  async restartDead(): Promise<void> {
    for (const [name, child] of this.children) {
      if (name === 'gateway' || (child.exitCode === null && child.signalCode === null)) continue
      try {
        await this.startNode(name)
      } catch (cause) {
        // It was ended as it started, or its port is taken by now: the others go on.
        if (!this.stopping) process.stderr.write(`chiyuan: ${errorText(cause)}\n`)
        continue
      }
      const started = this.children.get(name)
      if (started === undefined) continue
      this.tellDeath(name, started)
      process.stdout.write(`${name} started again 已重新启动 (pid ${started.pid})\n`)
    }
  }

  /** Ends all children; those that do not end in time are killed. */
  async stop(): Promise<void> {
    this.stopping = true
    await Promise.all([...this.children.values()].map(endChild))
  }

  private tellDeath(name: string, child: ChildProcess): void {
    child.once('exit', (code, signal) => {
      if (this.stopping || name === 'gateway') return
      const how = signal === null ? `with code ${code}` : `by ${signal}`
      process.stdout.write(`${name} ended ${how} 已终止; press Enter to start it again 按回车键重新启动\n`)
    })
  }

  /** Resolves when the child says that it is ready. */
  private start(name: string, args: readonly string[], output: 'heard' | 'quiet'): Promise<void> {
    // Detached: a Ctrl-C reaches us alone, and we end the children in order.
    const stdio = ['ignore', output === 'heard' ? 'inherit' : 'ignore', 'pipe', 'ipc'] as const
    const child = fork(process.argv[1] ?? '', [...args], { stdio: [...stdio], detached: true })
    this.children.set(name, child)
    let complaint = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text))
    return new Promise((resolve, reject) => {
      child.once('message', () => {
        child.stderr?.on('data', (text: string) => process.stderr.write(text))
        resolve()
      })
      child.once('error', reject)
      child.once('exit', (code) => {
        const text = complaint.trim().replace(/^chiyuan: /, '')
        const advice = name === 'gateway' ? '' : ' (other ports for the nodes: --node-port PORT)'
        reject(new UsageError(`${name} did not start: ${text === '' ? `code ${code}` : text}${advice}`))
      })
    })
  }
}

const loadSchema = z.object({ copies: z.array(z.object({ ageMs: z.number().nullable() })) })

async function hasCopies(url: string): Promise<boolean> {
  const load = loadSchema.safeParse(await (await fetch(new URL('/load', url))).json()).data
  return load !== undefined && load.copies.every(({ ageMs }) => ageMs !== null)
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const killer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
  child.kill('SIGTERM')
  // One that was frozen for the show hears nothing until it is woken.
  child.kill('SIGCONT')
  await exited
  clearTimeout(killer)
}

function stopOnce(federation: DemoFederation): () => void {
  let since = -Infinity
  const stop = (): void => {
    const now = performance.now()
    if (now - since < sameKeyPressMs) return
    if (since > 0) process.exit(130)
    since = now
    process.stdout.write('stopping 正在停止 …\n')
    void federation.stop().then(() => {
      process.stdout.write('stopped, nothing left behind 已全部停止\n')
      process.exit()
    })
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return stop
}

/** The shipped demo, or a copy of it whose nodes are on other ports. */
async function demoConfig(nodePort: number): Promise<string> {
  const shipped = join(packageRoot(), 'config', 'demo.yaml')
  if (nodePort === defaults.nodePort) return shipped
  const text = await readFile(shipped, 'utf8')
  const moved = text.replaceAll(
    /127\.0\.0\.1:91(\d\d)/g,
    (_, nth: string) => `127.0.0.1:${nodePort + Number(nth) - 1}`,
  )
  await mkdir(dataDir, { recursive: true })
  const file = join(dataDir, 'demo.yaml')
  await writeFile(file, moved)
  return file
}

function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}
