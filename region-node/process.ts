// A node as a process: tells that it is ready, and ends on a signal or when its parent is gone.
import { pino } from 'pino'
import { startRegionNode } from './main.ts'
import type { RegionNode, RegionNodeOptions } from './main.ts'
import { KeyError } from './signing/key-error.ts'
import { readPassphrase } from './signing/passphrase.ts'
import { StartError } from './start-error.ts'

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Consul's own name for it. */
export const consulTokenVariable = 'CONSUL_HTTP_TOKEN'

export interface ProcessOptions extends RegionNodeOptions {
  /** Say that it is ready as a line of JSON instead of text. */
  readonly logJson: boolean
  /** File of mode 0600 with the passphrase of sealed keys. Default: the environment's. */
  readonly passphraseFile?: string
}

/** Runs a node for as long as the process lives, and ends the process with it. */
export async function runRegionNodeProcess({
  logJson,
  passphraseFile,
  ...options
}: ProcessOptions): Promise<void> {
  // Standard error and synchronous: a line about why the process ends must not be lost with it.
  const logger = pino({ base: { pid: process.pid } }, pino.destination({ dest: 2, sync: true }))
  try {
    const keyPassphrase = await passphraseFor(passphraseFile)
    const consul = consulWithToken(options.consul)
    const node = await startRegionNode({ logger, ...options, ...keyPassphrase, ...consul })
    const end = endOnSignal(node)
    // `send` outlives the channel: a parent there was, and it has gone while we were loading.
    if (process.send && !process.connected) return end()
    announce(node, logJson)
  } catch (error) {
    // Anything else is a fault of ours, and its stack is wanted.
    if (!(error instanceof StartError)) throw error
    process.stderr.write(`region-node: ${error.message}\n`)
    process.exit(1)
  }
}

/** Never by a flag, which all on this machine can read. */
function consulWithToken(consul: ProcessOptions['consul']): Pick<ProcessOptions, 'consul'> {
  const token = process.env[consulTokenVariable]
  if (consul === undefined) return {}
  return { consul: token === undefined || token === '' ? consul : { ...consul, token } }
}

async function passphraseFor(file: string | undefined): Promise<{ keyPassphrase?: string }> {
  try {
    const passphrase = await readPassphrase(file, process.env)
    return passphrase === null ? {} : { keyPassphrase: passphrase }
  } catch (error) {
    if (error instanceof KeyError) throw new StartError(error.message)
    throw error
  }
}

function announce(node: RegionNode, logJson: boolean): void {
  const text = `region-node ${node.nodeName} (${node.regionCode}) listening on ${node.url}`
  const { nodeName, regionCode, url, port, peerPort } = node
  const line = logJson
    ? JSON.stringify({ msg: text, node: nodeName, region: regionCode, url, port, peerPort })
    : text
  // Whoever started it need not stay to read this.
  process.stdout.on('error', () => {})
  process.stdout.write(`${line}\n`)
  if (process.connected) process.send?.({ type: 'ready', port, peerPort })
}

/**
 * The first signal, or the loss of the parent, closes in order and exits 0; a second signal exits at once.
 *
 * @returns Does what the first signal does.
 */
function endOnSignal(node: RegionNode): () => void {
  let ending = false
  const end = (): void => {
    if (ending) return
    ending = true
    node.close().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`region-node: could not close: ${String(error)}\n`)
        process.exit(1)
      },
    )
  }
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (ending) process.exit(128 + SIGNAL_NUMBERS[signal])
      end()
    })
  }
  // A parent that was killed can't signal us: without this we would be left an orphan on its port.
  process.on('disconnect', end)
  return end
}
