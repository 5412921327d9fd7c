// The operators' command line as a person has it: a process of its own, in a folder of its own, at a real gateway.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Server } from 'node:net'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { startTestGateway, type TestGateway, type TestRegion } from './gateway.ts'
import { httpUpstream, named } from './upstream.ts'

export const cli = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))

/** Nothing else of this process's environment is a person's. */
export const inherited = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] }

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export type Child = ChildProcessByStdio<Writable, Readable, Readable>

export interface CommandLine extends AsyncDisposable {
  readonly gateway: TestGateway
  /** Its working folder; nothing is in it but `admin.token`. */
  readonly folder: string
  /** Of the first admin. */
  readonly token: string
  /** `CHIYUAN_URL` and `CHIYUAN_TOKEN_FILE` are set, and English. */
  run(...args: string[]): Promise<Ended>
  /** @param env Over what {@link run} sets; `undefined` takes it away. */
  runWith(env: Record<string, string | undefined>, ...args: string[]): Promise<Ended>
  start(env: Record<string, string | undefined>, ...args: string[]): Child
  /** On a terminal of its own: what is written to it is typed, and all that it shows is on its standard output. */
  onTerminal(env: Record<string, string | undefined>, ...args: string[]): Child
  /** Standard output of a command that must succeed. */
  good(...args: string[]): Promise<string>
}

/** Xi'an with two nodes, helped by Xianyang with one. */
async function twoCities(started: AsyncDisposableStack): Promise<readonly TestRegion[]> {
  const node = async (name: string): Promise<Record<string, string>> => ({
    [name]: started.use(await httpUpstream(named(name))).url,
  })
  return [
    {
      code: '610100',
      neighbours: ['610400'],
      nodes: { ...(await node('xian-1')), ...(await node('xian-2')) },
    },
    { code: '610400', nodes: await node('xianyang-1') },
  ]
}

/** @param at Regions with nodes of the test's own; otherwise two cities whose nodes answer with their names. */
export async function commandLine(
  changes: Record<string, unknown> = {},
  at?: readonly TestRegion[],
): Promise<CommandLine> {
  const started = new AsyncDisposableStack()
  const regions = at ?? (await twoCities(started))
  const gateway = started.use(await startTestGateway(regions, { ...changes, admin: { api: true, port: 0 } }))
  const folder = await mkdtemp(join(tmpdir(), 'chiyuan-cli-'))
  const token = gateway.gateway.firstToken ?? ''
  const tokenFile = join(folder, 'admin.token')
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 })
  const usual = { CHIYUAN_URL: gateway.adminUrl, CHIYUAN_TOKEN_FILE: tokenFile, LC_ALL: 'C.UTF-8', TZ: 'UTC' }
  const begin = (
    env: Record<string, string | undefined>,
    command: string,
    args: readonly string[],
  ): Child => {
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...inherited, ...usual, ...env },
      stdio: 'pipe',
    })
    child.stdin.on('error', () => {})
    return child
  }
  const start: CommandLine['start'] = (env, ...args) => begin(env, process.execPath, [cli, ...args])
  const runWith: CommandLine['runWith'] = (env, ...args) => {
    const child = start(env, ...args)
    child.stdin.end()
    return toEnd(child)
  }
  return {
    gateway,
    folder,
    token,
    start,
    runWith,
    run: (...args) => runWith({}, ...args),
    onTerminal: (env, ...args) =>
      begin(env, 'script', ['-qec', [process.execPath, cli, ...args].map(quoted).join(' '), '/dev/null']),
    async good(...args) {
      const { code, stdout, stderr } = await runWith({}, ...args)
      if (code !== 0) throw new Error(`chiyuan ${args.join(' ')} ended with ${code}: ${stderr}`)
      return stdout
    },
    async [Symbol.asyncDispose]() {
      await started.disposeAsync()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export async function toEnd(child: Child): Promise<Ended> {
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'exit'),
    text(child.stdout),
    text(child.stderr),
  ])
  return { code: typeof code === 'number' ? code : null, stdout, stderr }
}

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`

/** Something else in a gateway's place, on a port of the system's choice. */
export async function listening(server: Server): Promise<{ port: number; url: string } & AsyncDisposable> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
