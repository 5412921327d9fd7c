// A real Consul server for tests: the one on PATH or in CONSUL_BIN, else Debian's package, unpacked beside the system.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { describe } from '@jest/globals'
import { z } from 'zod'
import { eventually } from './eventually.ts'

const run = promisify(execFile)

/** The last release of Debian that has the package; it needs nothing of that release. */
const suite = 'bullseye'
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'chiyuan', `consul-${suite}`)
const fetched = join(cache, 'usr/bin/consul')

const binary = await findConsul().catch((cause: unknown) => {
  process.stderr.write(
    `CONSUL IS NOT TESTED: there is no consul on PATH or in CONSUL_BIN, and none can be fetched (${String(cause)})\n`,
  )
  return null
})

/** For its commands, such as `consul validate`; `null` where there is none. */
export const consulBinary: string | null = binary

// Never skipped in CI: there it must be found or fetched.
export const describeWithConsul =
  binary !== null || process.env['CI'] !== undefined ? describe : describe.skip

async function findConsul(): Promise<string> {
  const named = process.env['CONSUL_BIN']
  if (named !== undefined) {
    if (!existsSync(named)) throw new Error(`CONSUL_BIN: there is no ${named}`)
    return named
  }
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'consul'))
  const found = [...onPath, fetched].find((file) => existsSync(file))
  return found ?? fetchPackage()
}

/** By apt with lists and folders of its own: nothing of the system is changed, and no rights are needed. */
async function fetchPackage(): Promise<string> {
  const [mirror, keyring] = await debianMirror()
  await mkdir(join(cache, '..'), { recursive: true })
  const work = await mkdtemp(join(cache, '..', 'fetching-'))
  try {
    await mkdir(join(work, 'lists/partial'), { recursive: true })
    await mkdir(join(work, 'cache/archives/partial'), { recursive: true })
    await writeFile(join(work, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`)
    await writeFile(
      join(work, 'apt.conf'),
      `Dir::State::lists "${work}/lists";
Dir::Cache "${work}/cache";
Dir::Etc::sourcelist "${work}/sources.list";
Dir::Etc::sourceparts "-";
Acquire::Languages "none";
APT::Sandbox::User "";
`,
    )
    const options = {
      cwd: work,
      timeout: 180_000,
      env: { ...process.env, APT_CONFIG: join(work, 'apt.conf') },
    }
    await run('apt-get', ['-q', 'update'], options)
    await run('apt-get', ['-q', 'download', 'consul'], options)
    const name = (await readdir(work)).find((file) => file.endsWith('.deb'))
    if (name === undefined) throw new Error('apt-get downloaded no package')
    await run('dpkg', ['-x', name, join(work, 'unpacked')], options)
    // Another worker may have been quicker.
    await rename(join(work, 'unpacked'), cache).catch((cause: unknown) => {
      if (!existsSync(fetched)) throw cause
    })
    return fetched
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** Where this machine has its own packages from, and the keys that they are signed by. */
async function debianMirror(): Promise<readonly [string, string]> {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  for (const file of ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list']) {
    if (!existsSync(file) || !existsSync(keyring)) continue
    const text = await readFile(file, 'utf8')
    const [, mirror] = /^(?:URIs:|deb(?: \[[^\]]*\])?) *(https?:\/\/\S+\/debian\/?)(?:\s|$)/m.exec(text) ?? []
    if (mirror !== undefined) return [mirror, keyring]
  }
  throw new Error('this is no Debian')
}

export interface ConsulServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Where other servers reach it, which names it as a leader. */
  readonly serverPort: number
  readonly datacenter: string
  /** Stands still, with its connections open. */
  freeze(): void
  thaw(): void
  /** As a power failure would. */
  kill(): Promise<void>
  /** Starts again on the same ports, with the same data; does nothing where it runs. */
  start(): Promise<void>
  /** One request to its API, below /v1. */
  ask(method: string, path: string, body?: string, token?: string): Promise<Response>
}

interface Place {
  readonly name: string
  readonly datacenter: string
  /** Of the gossip between datacentres; `null` where there is one only. */
  readonly wan: number | null
  readonly http: number
  readonly serf: number
  readonly server: number
}

/** A server that is its own cluster, ready to be asked. */
export async function startConsul(hcl = ''): Promise<ConsulServer> {
  const [one] = await startCluster(1, hcl)
  if (one === undefined) throw new Error('one server was started')
  return one
}

/** Servers that have a leader, all on this machine. */
export async function startCluster(size: number, hcl = ''): Promise<readonly ConsulServer[]> {
  const places = await makePlaces(size, 'dc1', false)
  const servers = await Promise.all(places.map((place) => makeServer(place, places, null, hcl)))
  await Promise.all(servers.map((server) => server.start()))
  return servers
}

/** Datacentres of one server each, joined over the WAN; each can be asked for what the others have. */
export async function startDatacenters(names: readonly string[], hcl = ''): Promise<readonly ConsulServer[]> {
  const places = (await Promise.all(names.map((name) => makePlaces(1, name, true)))).flat()
  const servers = await Promise.all(places.map((place) => makeServer(place, [place], places, hcl)))
  await Promise.all(servers.map((server) => server.start()))
  await eventually(async () => {
    for (const server of servers) {
      for (const name of names) {
        const { status } = await server.ask('GET', `/catalog/nodes?dc=${name}`)
        if (status !== 200) throw new Error(`${name} is not reached yet: ${status}`)
      }
    }
  }, 15_000)
  return servers
}

async function makePlaces(size: number, datacenter: string, joins: boolean): Promise<Place[]> {
  const ports = await freePorts(size * 4)
  return Array.from({ length: size }, (_, i) => {
    const [http = 0, serf = 0, server = 0, wan = 0] = ports.slice(i * 4)
    return {
      name: `s${i + 1}`,
      datacenter,
      http,
      serf,
      server,
      wan: joins ? wan : null,
    }
  })
}

async function makeServer(
  place: Place,
  all: readonly Place[],
  datacenters: readonly Place[] | null,
  hcl: string,
): Promise<ConsulServer> {
  if (binary === null) throw new Error('there is no consul; CI must find or fetch one')
  const data = await mkdtemp(join(tmpdir(), 'chiyuan-consul-'))
  const url = `http://127.0.0.1:${place.http}`
  const args = argumentsFor(place, all, datacenters ?? [], hcl, data)
  let child: ChildProcess | null = null
  const ask = (method: string, path: string, body?: string, token?: string): Promise<Response> =>
    fetch(`${url}/v1${path}`, {
      method,
      signal: AbortSignal.timeout(5000),
      headers: { connection: 'close', ...(token !== undefined && { 'x-consul-token': token }) },
      ...(body !== undefined && { body }),
    })
  const kill = async (): Promise<void> => {
    if (child === null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    child = null
  }
  return {
    url,
    port: place.http,
    serverPort: place.server,
    datacenter: place.datacenter,
    freeze() {
      if (child?.pid === undefined) return
      child.kill('SIGSTOP')
      untilStopped(child.pid)
    },
    thaw: () => void child?.kill('SIGCONT'),
    kill,
    async start() {
      if (child !== null) return
      child = spawn(...mortal(binary, args), { stdio: 'ignore' })
      await eventually(async () => {
        const leader = await ask('GET', '/status/leader')
        if (z.string().parse(await leader.json()) === '') throw new Error('Consul has no leader yet')
      }, 15_000)
    },
    ask,
    async [Symbol.asyncDispose]() {
      await kill()
      await rm(data, { recursive: true, force: true })
    },
  }
}

/** Where the system can do it the server ends with its parent, so that a killed test leaves none behind. */
const mortal = (command: string, args: string[]): [string, string[]] =>
  existsSync('/usr/bin/setpriv')
    ? ['/usr/bin/setpriv', ['--pdeathsig', 'KILL', command, ...args]]
    : [command, args]

function argumentsFor(
  { name, datacenter, http, serf, server, wan }: Place,
  all: readonly Place[],
  datacenters: readonly Place[],
  hcl: string,
  data: string,
) {
  const hcls = [
    `ports{http=${http} dns=-1 grpc=-1 serf_lan=${serf} serf_wan=${wan ?? -1} server=${server}}`,
    'performance{raft_multiplier=1}',
    'disable_update_check=true',
    'limits{http_max_conns_per_client=2000}',
    ...(hcl === '' ? [] : [hcl]),
  ].flatMap((text) => ['-hcl', text])
  const joins = all.length === 1 ? [] : all.map((other) => `-retry-join=127.0.0.1:${other.serf}`)
  const wanJoins = datacenters
    .filter((other) => other.datacenter !== datacenter)
    .map((other) => `-retry-join-wan=127.0.0.1:${other.wan}`)
  const own = ['-server', `-bootstrap-expect=${all.length}`, `-node=${name}`, `-data-dir=${data}`]
  const here = ['-bind=127.0.0.1', '-client=127.0.0.1', '-advertise=127.0.0.1', '-retry-interval=1s']
  const far = [`-datacenter=${datacenter}`, '-retry-interval-wan=1s']
  return ['agent', ...own, ...here, ...far, ...joins, ...wanJoins, ...hcls]
}

/** All held at once, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  return Promise.all(
    servers.map(async (server) => {
      const address = server.address()
      server.close()
      await once(server, 'close')
      return typeof address === 'object' && address !== null ? address.port : 0
    }),
  )
}

/** The system stops a process's threads a moment after it was told to; on a busy machine one answers meanwhile. */
function untilStopped(pid: number): void {
  const stat = `/proc/${pid}/stat`
  const giveUpAt = performance.now() + 2000
  while (existsSync(stat) && performance.now() < giveUpAt) {
    const [state = ''] = readFileSync(stat, 'latin1').split(') ').slice(-1)
    if (state.startsWith('T')) return
  }
}
