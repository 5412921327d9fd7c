// The federation's nodes for all but the CPU rounds: real processes that can be killed, frozen, brought back, misled.
import { fileURLToPath } from 'node:url'
import { nodeNames, type NodeName, type Upstreams } from '../federation.ts'
import { freePort } from '../ports.ts'
import { start, type Started } from '../processes.ts'
import { type Behaviour, type FromNode, fromNode, type NodeFigures, type ToNode } from './messages.ts'

const script = fileURLToPath(new URL('./fault-node.ts', import.meta.url))

/** @returns The next message of this kind. */
const hear = <Kind extends FromNode['is']>(
  process: Started,
  wanted: Kind,
): Promise<Extract<FromNode, { is: Kind }>> =>
  new Promise((resolve, reject) => {
    const isWanted = (message: FromNode): message is Extract<FromNode, { is: Kind }> => message.is === wanted
    const timer = setTimeout(
      () => reject(new Error(`a node is not ${wanted} within 10 s; it said: ${process.output}`)),
      10_000,
    )
    const listener = (raw: unknown): void => {
      const message = fromNode.parse(raw)
      if (!isWanted(message)) return
      clearTimeout(timer)
      process.child.off('message', listener)
      resolve(message)
    }
    process.child.on('message', listener)
  })

class FaultNode {
  readonly name: NodeName
  readonly port: number
  private readonly cores: string | null
  private process: Started
  /** Waits idle to take over the port. */
  private successor: Started | null = null

  private constructor(name: NodeName, port: number, cores: string | null, process: Started) {
    this.name = name
    this.port = port
    this.cores = cores
    this.process = process
  }

  static async start(name: NodeName, cores: string | null): Promise<FaultNode> {
    const node = new FaultNode(name, await freePort(), cores, await idle(name, cores))
    await node.listen()
    return node
  }

  async prepareSuccessor(): Promise<void> {
    this.successor = await idle(this.name, this.cores)
  }

  kill(): Promise<void> {
    return this.process.kill()
  }

  async comeBack(): Promise<void> {
    this.process = this.successor ?? (await idle(this.name, this.cores))
    this.successor = null
    await this.listen()
  }

  freeze(): void {
    this.process.signal('SIGSTOP')
  }

  thaw(): void {
    this.process.signal('SIGCONT')
  }

  behave(behaviour: Behaviour): void {
    this.tell({ do: 'behave', ...behaviour })
  }

  /** What this process has done so far; null where it is dead. */
  async figures(): Promise<NodeFigures | null> {
    if (this.process.isOver) return null
    const counted = hear(this.process, 'counted')
    this.tell({ do: 'count' })
    return (await counted).figures
  }

  async end(): Promise<void> {
    await Promise.all([this.process.kill(), this.successor?.kill()])
  }

  private async listen(): Promise<void> {
    const listening = hear(this.process, 'listening')
    this.tell({ do: 'listen', port: this.port })
    await listening
  }

  private tell(message: ToNode): void {
    if (!this.process.isOver) this.process.child.send(message)
  }
}

async function idle(name: NodeName, cores: string | null): Promise<Started> {
  const process = start({ file: globalThis.process.execPath, args: [script, name], cores, ipc: true })
  await hear(process, 'idle')
  return process
}

export type { FaultNode }

export interface FaultNodes extends AsyncDisposable {
  readonly upstreams: Upstreams
  readonly all: readonly FaultNode[]
  readonly local: readonly FaultNode[]
}

export async function startFaultNodes(cores: string | null): Promise<FaultNodes> {
  const all = await Promise.all(nodeNames.map((name) => FaultNode.start(name, cores)))
  const [first, second, neighbour, province] = all
  if (first === undefined || second === undefined || neighbour === undefined || province === undefined) {
    throw new Error('four nodes were started')
  }
  return {
    upstreams: {
      local: [first.port, second.port],
      neighbour: neighbour.port,
      province: province.port,
    },
    all,
    local: [first, second],
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((node) => node.end()))
    },
  }
}
