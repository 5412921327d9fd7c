// A gateway of two workers as its operator runs it: reloads, stops, what it says when it can't start.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { httpUpstream, named } from '../support/upstream.ts'
import { alive, startWorkerGateway, type WorkerGateway } from '../support/worker-gateway.ts'

/** One request on a connection of its own. */
async function ask(port: number): Promise<string> {
  const [answer] = await once(
    get({ port, host: '127.0.0.1', path: '/v1/codes/R1', agent: false }),
    'response',
  )
  return text(answer)
}

/** Who answers through the worker of `place`, while the other one is frozen. */
async function askThrough(gateway: WorkerGateway, place: 1 | 2): Promise<string> {
  const other = gateway.pidOf(place === 1 ? 2 : 1)
  process.kill(other, 'SIGSTOP')
  try {
    return await ask(gateway.port)
  } finally {
    process.kill(other, 'SIGCONT')
  }
}

async function putFile(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content)
  await rename(`${file}.new`, file)
}

describe('a reload', () => {
  it('reaches every worker; a bad file none, and not one that starts later either', async () => {
    await using before = await httpUpstream(named('before'))
    await using after = await httpUpstream(named('after'))
    await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': before.url } }])
    expect([await askThrough(gateway, 1), await askThrough(gateway, 2)]).toEqual(['before', 'before'])
    const good = (await readFile(gateway.configFile, 'utf8')).replace(
      `xian-1\n        url: ${before.url}`,
      `xian-2\n        url: ${after.url}`,
    )
    expect(good).toContain('xian-2')
    await putFile(gateway.configFile, `${good}\nlimits: { urlBytes: 4096 }\n`)
    process.kill(gateway.pid, 'SIGHUP')
    await gateway.logged(({ event }) => event === 'reloaded')
    await eventually(async () => {
      expect([await askThrough(gateway, 1), await askThrough(gateway, 2)]).toEqual(['after', 'after'])
    })
    expect(gateway.log.filter(({ event }) => event === 'restart-needed')).toMatchObject([
      { msg: 'changed, but in force after a restart only: limits' },
    ])
    await putFile(gateway.configFile, good.replace('"610100"', 'galaxy'))
    const refused = await gateway.logged(({ event }) => event === 'reload-refused')
    expect(refused.msg).toMatch(/^new configuration refused, the old one stays: .*gateway\.yaml:\d+: /)
    const victim = gateway.pidOf(2)
    process.kill(victim, 'SIGKILL')
    await gateway.logged(({ event, place, pid }) => event === 'worker-ready' && place === 2 && pid !== victim)
    expect(await askThrough(gateway, 2)).toBe('after')
    expect(gateway.log.filter(({ event }) => event === 'reload-refused')).toHaveLength(1)
    expect(await gateway.metrics()).toContain('chiyuan_reload_refused_total{what="configuration"} 1')
    // The departed node is nobody's any more, the dead worker's counts included.
    expect(await gateway.metrics()).not.toMatch(/node="xian-1"/)
  }, 30_000)
})

describe('a stop', () => {
  it('by Ctrl-C, which a terminal sends to every process, drains all workers, says so once, exits 0', async () => {
    await using node = await httpUpstream((_request, response) => {
      setTimeout(() => response.end('node'), 700)
    })
    await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const pids = [gateway.pidOf(1), gateway.pidOf(2)]
    const answers = Promise.all(Array.from({ length: 12 }, () => ask(gateway.port)))
    await eventually(() => expect(node.requests).toBe(12))
    process.kill(-gateway.pid, 'SIGINT')
    await gateway.logged(({ event }) => event === 'stop')
    const ready = await fetch(`${gateway.adminUrl}/readyz`)
    expect([ready.status, await ready.json()]).toMatchObject([
      503,
      { detail: 'the gateway is draining before it stops' },
    ])
    expect(await answers).toEqual(Array.from({ length: 12 }, () => 'node'))
    expect(await gateway.exited).toEqual([0, null])
    expect(gateway.log.filter(({ event }) => event === 'stop' || event === 'stopped')).toHaveLength(2)
    expect(gateway.log.filter(({ event }) => event === 'worker-ended')).toEqual([])
    expect(pids.filter(alive)).toEqual([])
  }, 30_000)

  it('by SIGTERM ends what does not end by itself at the deadline; a second one ends all at once', async () => {
    await using node = await httpUpstream(() => {})
    await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      drainTimeoutMs: 60_000,
    })
    const pids = [gateway.pidOf(1), gateway.pidOf(2)]
    const cut = Promise.allSettled([ask(gateway.port), ask(gateway.port)])
    await eventually(() => expect(node.requests).toBe(2))
    process.kill(gateway.pid, 'SIGTERM')
    await gateway.logged(({ event }) => event === 'stop')
    // Within 700 ms it counts as the same key press.
    await new Promise((resolve) => setTimeout(resolve, 900))
    process.kill(gateway.pid, 'SIGTERM')
    expect(await gateway.exited).toEqual([143, null])
    expect((await cut).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await eventually(() => expect(pids.filter(alive)).toEqual([]))
  }, 30_000)
})

it('lines of a worker’s own log say which worker it is', async () => {
  await using node = await httpUpstream(named('node'))
  await using gateway = await startWorkerGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  await node.close()
  await gateway.logged(({ event, worker }) => event === 'health' && worker === 1)
  await gateway.logged(({ event, worker }) => event === 'health' && worker === 2)
}, 30_000)

/** Runs the command to its end. */
async function run(...args: string[]): Promise<{ code: number | null; said: string }> {
  // What it says to a person is on standard error; workers may have logged their first probes meanwhile.
  const cli = fileURLToPath(new URL('../../gateway/cli/main.ts', import.meta.url))
  const child = spawn(process.execPath, [cli, 'gateway', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.resume()
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, said }
}

describe('a person who errs is told the same as by a single process', () => {
  it.each(['public', 'admin'])(
    'about a taken %s port',
    async (which) => {
      const taken = createServer().listen(0, '127.0.0.1')
      await once(taken, 'listening')
      const address = taken.address()
      const port = typeof address === 'object' ? String(address?.port) : ''
      const file = fileURLToPath(new URL('../../config/examples/three-levels.yaml', import.meta.url))
      const other = which === 'public' ? '--admin-port' : '--public-port'
      const ports = [`--${which}-port`, port, other, '0']
      const { code, said } = await run('--config', file, ...ports, '--workers', '2')
      taken.close()
      expect(code).toBe(1)
      expect(said).toBe(
        `chiyuan: port ${port} is taken by another program; choose another with --${which}-port PORT, or set ${which}.port in the configuration\n`,
      )
    },
    20_000,
  )

  it('about a file that a worker finds unusable', async () => {
    const file = `${process.cwd()}/config/examples/three-levels.yaml`
    const bad = `/tmp/chiyuan-workers-${process.pid}.yaml`
    const lost = 'resident: { keyFile: /nowhere/resident.key }\npublic: { port: 0 }\nadmin: { port: 0 }\n'
    const content = (await readFile(file, 'utf8')).replaceAll(/^(resident|public|admin):.*\n(?: .*\n)*/gm, '')
    await writeFile(bad, `${content}\n${lost}`)
    const { code, said } = await run('--config', bad, '--workers', '2')
    await rm(bad)
    expect([code, said]).toEqual([
      1,
      expect.stringMatching(/^chiyuan: \/nowhere\/resident\.key: .*can't be read/),
    ])
    expect(said).not.toMatch(/\n\s+at /)
  }, 20_000)

  it.each(['0', 'x', '1.5', '129'])(
    'about --workers %s',
    async (workers) => {
      const { code, said } = await run('--config', 'config/demo.yaml', '--workers', workers)
      expect(code).not.toBe(0)
      expect(said).toContain('It must be a whole number from 1 to 128, or auto.')
    },
    20_000,
  )
})
