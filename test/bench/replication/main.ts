// How far a donor is behind at 2,000 writes a second over 50 ms of latency, and what a killed home takes with it.
// Run by `node test/bench/replication/main.ts`; half a minute.
import { spawn, execFileSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { openStore } from '../../../region-node/store/store.ts'
import { syntheticToken } from '../../../region-node/synthetic.ts'
import { lateWire } from '../../support/late-wire.ts'

const ratePerSecond = 2_000
const seconds = 12
const eachWayMs = 50
const residents = 60_000
const home = '610100'
const donor = '610400'
const tickMs = 10

const folder = mkdtempSync(join(tmpdir(), 'chiyuan-replication-'))
const file = (name: string): string => join(folder, name)
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

function certificate(region: string): string[] {
  openssl('req', ...newKey, '-subj', `/CN=${region}`, '-keyout', `${region}-key.pem`, '-out', `${region}.csr`)
  writeFileSync(file(`${region}.ext`), `subjectAltName=URI:urn:chiyuan:region:${region}\n`)
  const signing = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-extfile', `${region}.ext`]
  openssl('x509', '-req', '-in', `${region}.csr`, ...signing, '-out', `${region}.pem`)
  const files = { cert: `${region}.pem`, key: `${region}-key.pem`, ca: 'ca.pem' }
  return Object.entries(files).flatMap(([name, given]) => [`--peer-${name}`, file(given)])
}

const readySchema = z.object({ port: z.int(), peerPort: z.int().nullable() })

async function start(region: string, flags: readonly string[]) {
  const given = [
    '--region',
    region,
    '--port',
    '0',
    '--data',
    file(`${region}.db`),
    ...certificate(region),
    ...flags,
  ]
  const child = spawn(process.execPath, ['region-node/cli.ts', ...given], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [message] = await once(child, 'message')
  return { child, ...readySchema.parse(message) }
}

const loadSchema = z.object({
  copies: z.array(z.object({ lagMs: z.number(), ageMs: z.number().nullable() })),
})

const copyAt = async (port: number) =>
  loadSchema.parse(await (await fetch(`http://127.0.0.1:${port}/load`)).json()).copies[0]

const agent = new Agent({ keepAlive: true, maxSockets: 128 })
const acknowledged = new Map<string, number>()
let failed = 0

function write(port: number, nth: number): void {
  const residentId = `R${home}-${String(nth).padStart(6, '0')}`
  const headers = { 'content-type': 'application/json', 'idempotency-key': residentId }
  const asking = request({ port, agent, path: '/v1/tests', method: 'POST', headers }, (answer) => {
    answer.resume()
    if (answer.statusCode === 201) acknowledged.set(residentId, performance.now())
    else failed += 1
  })
  asking.on('error', () => (failed += 1))
  asking.end(JSON.stringify({ residentId, result: 'positive', sampledAt: '2022-01-04T09:00:00+08:00' }))
}

const until = async (check: () => Promise<boolean>): Promise<void> => {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 20))
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function main(): Promise<void> {
  openssl('req', '-x509', ...newKey, '-subj', '/CN=peers', '-keyout', 'ca-key.pem', '-out', 'ca.pem')
  const agreement = { id: 'bench', donor, from: '2020-01-01T00:00:00Z', until: '2040-01-01T00:00:00Z' }
  writeFileSync(file('agreements.json'), JSON.stringify({ agreements: [agreement] }))
  const many = ['--residents', String(residents), '--limit', '4096']
  const atHome = await start(home, [...many, '--peer-port', '0', '--agreements', file('agreements.json')])
  await using wire = await lateWire(atHome.peerPort ?? 0, eachWayMs)
  const begun = performance.now()
  const away = await start(donor, ['--residents', '20', '--follow', `${home}=https://127.0.0.1:${wire.port}`])
  await until(
    async () =>
      (await fetch(`http://127.0.0.1:${away.port}/readyz?home=${home}`)).status !== 400 &&
      (await copyAt(away.port))?.ageMs !== null,
  )
  const copyingMs = performance.now() - begun
  const lags: number[] = []
  const watching = setInterval(() => void copyAt(away.port).then((copy) => lags.push(copy?.lagMs ?? 0)), 100)
  const startedAt = performance.now()
  let sent = 0
  while (performance.now() - startedAt < seconds * 1_000) {
    const due = Math.min(residents, ((performance.now() - startedAt) / 1_000) * ratePerSecond)
    while (sent < due) write(atHome.port, (sent += 1))
    await new Promise((resolve) => setTimeout(resolve, tickMs))
  }
  const dead = performance.now()
  clearInterval(watching)
  await end(atHome.child)
  await new Promise((resolve) => setTimeout(resolve, 500))
  await end(away.child)
  agent.destroy()
  const store = openStore(file(`${donor}.db`))
  const lost = [...acknowledged].filter(
    ([id]) => store.residents.byToken(syntheticToken(id))?.status !== 'red',
  )
  store.close()
  const rpoMs = Math.max(0, ...lost.map(([, atMs]) => dead - atMs))
  lags.sort((a, b) => a - b)
  const at = (share: number): number => Math.round(lags[Math.floor((lags.length - 1) * share)] ?? 0)
  process.stdout.write(
    [
      `${residents} residents copied over ${eachWayMs} ms each way in ${Math.round(copyingMs)} ms, the donor's start included`,
      `${acknowledged.size} writes acknowledged of ${sent} sent in ${seconds} s (${failed} not, home killed in the middle)`,
      `lag while writing: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms`,
      `home killed: ${lost.length} acknowledged writes not at the donor, the oldest ${Math.round(rpoMs)} ms before (RPO)`,
      '',
    ].join('\n'),
  )
}

try {
  await main()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
