// The gateway as its operator meets it: reloads under load, stops, wrong flags, taken ports.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { startFederation } from '../support/federation.ts'
import { failed, startLoad } from '../support/load.ts'

const cli = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))

/** Runs the command to its end. */
async function run(...args: string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, said }
}

/** Resolves when the process has printed a line that fits. */
function line(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const onData = (chunk: Buffer): void => {
      said += chunk.toString()
      const found = said.split('\n').find((candidate) => pattern.test(candidate))
      if (found === undefined) return
      child.stdout?.off('data', onData)
      resolve(found)
    }
    child.stdout?.on('data', onData)
    child.once('exit', () => reject(new Error(`ended before it said ${pattern}: ${said}`)))
  })
}

async function inFlight(adminUrl: string): Promise<number> {
  const metrics = await (await fetch(`${adminUrl}/metrics`)).text()
  const counts = [...metrics.matchAll(/^chiyuan_requests_in_flight\{.*\} (\d+)$/gm)]
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

describe('a reload', () => {
  it('under load drops no request, and takes over the new regions', async () => {
    await using federation = await startFederation()
    const load = startLoad(federation.url, { ratePerSecond: 200 })
    await load.until(({ status }) => status === 200, 50)
    const text = await readFile(federation.configFile, 'utf8')
    // Home loses its own nodes: all its residents go to the neighbour, by the file alone.
    const next = text.replace(/nodes:\n(\s+- id: xian-1\n.*\n\s+- id: xian-2\n.*\n)/, 'nodes: []\n')
    expect(next).not.toBe(text)
    await writeFile(`${federation.configFile}.new`, next)
    await rename(`${federation.configFile}.new`, federation.configFile)
    await load.until(({ body }) => body === 'xianyang-1', 200)
    await writeFile(federation.configFile, text)
    federation.gateway.kill('SIGHUP')
    await load.until(({ body }) => body.startsWith('xian-'), 250)
    expect(failed(await load.stop())).toEqual([])
  }, 30_000)

  it('of a bad file is refused with line and reason, and the old one stays', async () => {
    await using federation = await startFederation()
    const text = await readFile(federation.configFile, 'utf8')
    const refused = line(federation.gateway, /refused/)
    await writeFile(federation.configFile, text.replace('tier: province', 'tier: galaxy'))
    expect(await refused).toMatch(
      /ERROR new configuration refused, the old one stays: .*gateway\.yaml:\d+: regions\[2\]\.tier: "galaxy" is not usable; it must be one of: city, province, nation/,
    )
    expect((await fetch(`${federation.url}/v1/codes/R1`)).status).toBe(200)
    const metrics = await (await fetch(`${federation.adminUrl}/metrics`)).text()
    expect(metrics).toContain('chiyuan_reload_refused_total{what="configuration"} 1')
  }, 20_000)

  it('says what needs a restart', async () => {
    await using federation = await startFederation()
    const text = await readFile(federation.configFile, 'utf8')
    const told = line(federation.gateway, /restart/)
    await writeFile(federation.configFile, `${text}\nlimits: { urlBytes: 4096 }\n`)
    expect(await told).toContain('in force after a restart only: limits')
  }, 20_000)
})

describe('a stop', () => {
  it('by SIGTERM fails readiness, lets what is in flight end, and exits 0', async () => {
    await using federation = await startFederation()
    for (const node of federation.nodes) node.behave({ serviceMs: 800 })
    // One slow answer first: by then every node has heard that it is to be slow.
    await fetch(`${federation.url}/v1/codes/R1`)
    const draining = line(federation.gateway, /SIGTERM: draining/)
    const answers = Promise.all(
      Array.from({ length: 10 }, async (_, i) => (await fetch(`${federation.url}/v1/codes/R${i}`)).status),
    )
    while ((await inFlight(federation.adminUrl)) < 10) await new Promise(setImmediate)
    federation.gateway.kill('SIGTERM')
    await draining
    const ready = await fetch(`${federation.adminUrl}/readyz`)
    expect(ready.status).toBe(503)
    expect(await ready.json()).toMatchObject({ detail: 'the gateway is draining before it stops' })
    const exited = once(federation.gateway, 'exit')
    expect(await answers).toEqual(Array.from({ length: 10 }, () => 200))
    expect(await exited).toEqual([0, null])
  }, 20_000)

  it('leaves nothing behind when the parent is gone', async () => {
    await using federation = await startFederation()
    const exited = once(federation.gateway, 'exit')
    federation.gateway.disconnect()
    expect(await exited).toEqual([0, null])
  }, 20_000)
})

describe('a person who errs is told what to do', () => {
  it('about a taken port', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    const { code, said } = await run(
      'gateway',
      '--config',
      'config/examples/three-levels.yaml',
      '--public-port',
      port,
    )
    taken.close()
    expect(code).toBe(1)
    expect(said).toBe(
      `chiyuan: port ${port} is taken by another program; choose another with --public-port PORT, or set public.port in the configuration\n`,
    )
  }, 20_000)

  it.each([
    { args: ['gateway'], says: "required option '-c, --config <file>' not specified" },
    { args: ['gateway', '--config', 'nowhere.yaml'], says: 'chiyuan: nowhere.yaml: there is no such file' },
    {
      args: ['gateway', '--config', 'config/demo.yaml', '--public-port', '99999'],
      says: 'It must be a whole number from 0 to 65535.',
    },
    { args: ['gatway'], says: 'Did you mean gateway?' },
    { args: ['config', 'check', 'package.json'], says: 'no such field' },
    { args: ['region-node', '--port', 'x'], says: '--port' },
  ])(
    '$args',
    async ({ args, says }) => {
      const { code, said } = await run(...args)
      expect(said).toContain(says)
      expect(said).not.toMatch(/\n\s+at /)
      expect(code).not.toBe(0)
    },
    20_000,
  )

  it('and a good file is called good', async () => {
    const { code, said } = await run('config', 'check', 'config/demo.yaml')
    expect([code, said]).toEqual([0, 'config/demo.yaml: good: 4 regions, 5 nodes\n'])
  }, 20_000)
})
