// Starts and stops one node of a region's code service: the only place that constructs and wires.
import { setTimeout as wait } from 'node:timers/promises'
import { createApp } from './http/app.ts'
import { createAdmission } from './http/admission.ts'
import { nodeAgent } from './catalogue.ts'
import { openAuthority } from './authority/authority.ts'
import type { AuthoritySource } from './authority/authority.ts'
import { LoadGate } from './load-gate.ts'
import { checkOptions } from './options.ts'
import type { CheckedOptions, RegionNodeLog, RegionNodeOptions } from './options.ts'
import { openReplication } from './replication/replication.ts'
import type { Replication } from './replication/replication.ts'
import { seedResidents } from './seed.ts'
import { createNodeServer, listen, stopServing } from './server.ts'
import type { CodeService } from './service.ts'
import { openStore } from './store/store.ts'
import type { Store } from './store/store.ts'
import { storedTerminals } from './terminals/directory.ts'

export type { RegionNodeLog, RegionNodeOptions } from './options.ts'

/** A running node. Disposing of it closes it. */
export interface RegionNode extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:9101`. */
  readonly url: string
  readonly port: number
  readonly nodeName: string
  readonly regionCode: string
  /** Port of the listener for peers; null where there is none. */
  readonly peerPort: number | null
  /**
   * Says on `/readyz` that it is going, waits `noticeMs`, stops accepting, answers what is in flight
   * for at most `drainMs`, closes the database. Further calls wait for the same end.
   */
  close(): Promise<void>
}

const SILENT: RegionNodeLog = { warn: () => undefined, error: () => undefined }

/**
 * @returns When it listens and all its residents are loaded.
 * @throws {StartError} In one line, what is wrong: an option, the data file, or the port.
 */
export async function startRegionNode(options: RegionNodeOptions = {}): Promise<RegionNode> {
  const checked = checkOptions(options)
  const { clock = Date.now, logger: log = SILENT } = options
  const followed = checked.follow.map(({ region }) => region)
  const regions = [...new Set([checked.regionCode, ...checked.holds, ...followed])]
  const agent = nodeAgent(checked, log)
  const authority = await openAuthority(authoritySource(checked, clock, log))
  let store: Store | undefined
  let replication: Replication | undefined
  try {
    const opened = openStore(checked.dataFile)
    store = opened
    const gate = new LoadGate(checked.limit)
    const opening = await openReplication(checked, { store: opened, authority, clock, log })
    replication = opening
    const { copies } = opening
    const service = serviceOf(checked, { clock, log, regions, store: opened, copies, gate, authority })
    // Terminals are few and steady; a crowd that opens its codes must not keep them waiting.
    const terminals = { prefix: '/v1/id-cards/', gate: new LoadGate(checked.cardLimit) }
    const admission = createAdmission(gate, [terminals], createApp(service))
    const server = createNodeServer(admission.listener)
    const own = regions.filter((region) => !followed.includes(region))
    await seedResidents(opened, own, checked.residents, clock())
    // Peers first: what fails after it closes them, and nobody was told of the other port yet.
    const peerPort = await opening.start(service)
    const port = await listen(server, checked.host, checked.port)
    const registration = agent?.enter(port)
    const stop = async (): Promise<void> => {
      // First of all: whoever goes by the catalogue sends nothing more here.
      const left = registration?.leave()
      admission.startDraining()
      if (checked.noticeMs > 0) await wait(checked.noticeMs)
      const drained = await stopServing(server, checked.drainMs)
      if (!drained) log.warn({ drainMs: checked.drainMs }, 'connections still open after the drain were cut')
      await left
      await agent?.[Symbol.asyncDispose]()
      await opening[Symbol.asyncDispose]()
      await authority[Symbol.asyncDispose]()
      opened.close()
    }
    return runningNode(checked, { port, peerPort }, stop)
  } catch (error) {
    await agent?.[Symbol.asyncDispose]()
    await replication?.[Symbol.asyncDispose]()
    await authority[Symbol.asyncDispose]()
    store?.close()
    throw error
  }
}

function authoritySource(
  {
    dataFile,
    regionCode,
    keyFolder,
    keyPassphrase,
    trustRoot,
    trustList,
    revocationLists,
    lookEveryMs,
  }: CheckedOptions,
  clock: () => number,
  log: RegionNodeLog,
): AuthoritySource {
  const keys =
    keyFolder === undefined
      ? undefined
      : { folder: keyFolder, region: regionCode, passphrase: keyPassphrase ?? null }
  const counters = dataFile === ':memory:' ? null : `${dataFile}.list-counters.json`
  const lists =
    trustRoot === undefined
      ? undefined
      : { root: trustRoot, trustList, revocations: revocationLists, counters }
  return { keys, lists, clock, log, lookEveryMs }
}

function serviceOf(
  { regionCode, nodeName, codeValidityMs, maxReplicaAgeMs }: CheckedOptions,
  parts: Pick<CodeService, 'authority' | 'clock' | 'copies' | 'log' | 'regions' | 'store' | 'gate'>,
): CodeService {
  const terminals = storedTerminals(parts.store.terminals)
  return { ...parts, terminals, regionCode, nodeName, codeValidityMs, maxReplicaAgeMs }
}

function runningNode(
  { host, nodeName, regionCode }: CheckedOptions,
  { port, peerPort }: Pick<RegionNode, 'port' | 'peerPort'>,
  stop: () => Promise<void>,
): RegionNode {
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= stop())
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    peerPort,
    nodeName,
    regionCode,
    close,
    [Symbol.asyncDispose]: close,
  }
}
