// A gateway on a folder that outlives it: killed at any moment, and started again on what it left.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { z } from 'zod'
import { quick, type TestRegion } from './gateway.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { callApi, tokenFor } from './operator-token.ts'

const command = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))
const ready = z.object({ publicPort: z.number(), adminPort: z.number() })

export interface KilledGateway extends AsyncDisposable {
  readonly url: string
  readonly adminUrl: string
  readonly dataDir: string
  readonly token: string
  kill(): Promise<void>
  restart(): Promise<void>
}

export async function startKilledGateway(
  regions: readonly TestRegion[],
  workers = 1,
  changes: Record<string, unknown> = {},
  /** By default written into the registry's file. */
  makeToken = tokenFor,
): Promise<KilledGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chiyuan-killed-'))
  const file = join(dataDir, 'gateway.yaml')
  await writeFile(
    file,
    stringify({
      dataDir,
      ...quick,
      drainTimeoutMs: 0,
      public: { port: 0 },
      admin: { port: 0 },
      home: { default: regions[0]?.code },
      regions: regions.map(({ code, tier = 'city', neighbours = [], nodes }) => ({
        code,
        name: { zh: code, en: code },
        tier,
        neighbours,
        nodes: Object.entries(nodes).map(([id, url]) => ({ id, url })),
      })),
      ...changes,
    }),
  )
  let child: ChildProcess | null = null
  let ports = { publicPort: 0, adminPort: 0 }
  const kill = async (): Promise<void> => {
    if (child === null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    child = null
  }
  const restart = async (): Promise<void> => {
    const started = fork(command, ['gateway', '--config', file, '--workers', String(workers)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    })
    let said = ''
    started.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const ended = once(started, 'exit').then(() => Promise.reject(new Error(`the gateway ended: ${said}`)))
    const [message]: unknown[] = await Promise.race([once(started, 'message'), ended])
    ended.catch(() => {})
    ports = ready.parse(message)
    child = started
  }
  await restart()
  const token = await makeToken(dataDir)
  await untilKnown(`http://127.0.0.1:${ports.adminPort}`, token)
  return {
    get url() {
      return `http://127.0.0.1:${ports.publicPort}`
    },
    get adminUrl() {
      return `http://127.0.0.1:${ports.adminPort}`
    },
    dataDir,
    token,
    kill,
    restart,
    async [Symbol.asyncDispose]() {
      await kill()
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
    },
  }
}

/** Fewer tries than would count as an attack. */
async function untilKnown(adminUrl: string, token: string): Promise<void> {
  for (let i = 0; i < 8; i++) {
    const { status } = await callApi(adminUrl, token, 'GET', '/drills')
    if (status === 200) return
    await sleep(150)
  }
  throw new Error('the gateway does not know the token that was put into its registry')
}
