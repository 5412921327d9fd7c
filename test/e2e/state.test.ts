// What operators have decided: one gateway at a time has it, it is backed up while in use, and put back.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { pino } from 'pino'
import { startGateway } from '../../gateway/compose.ts'
import { verifyAudit } from '../../gateway/control/audit/audit-log.ts'
import { ownRegistry } from '../../gateway/control/registry/sole-owner.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { backUpState, restoreState } from '../../gateway/control/registry/state-copies.ts'
import { testConfig } from '../support/gateway.ts'

let folder: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chiyuan-state-'))
  file = join(folder, 'chiyuan.db')
})
afterEach(() => rm(folder, { recursive: true }))

const started = () =>
  startGateway(
    testConfig([{ code: '610100', nodes: { 'xian-1': 'http://127.0.0.1:9' } }], folder, {
      admin: { port: 0, api: true },
    }),
    pino({ level: 'silent' }),
  )

/** The modes that were set, oldest first, by a gateway that runs for it. */
async function setModes(...modes: string[]): Promise<void> {
  await using gateway = await started()
  for (const mode of modes) await setMode(gateway.adminPort, gateway.firstToken ?? token, mode)
}
let token = ''
async function setMode(port: number, bearer: string, mode: string): Promise<void> {
  token = bearer
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/mode`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json', 'if-match': '*' },
    body: JSON.stringify({ mode, reason: 'a test' }),
  })
  expect(answer.status).toBe(200)
}

async function modeIn(path: string): Promise<unknown> {
  await using registry = openEmbeddedRegistry(path)
  return (await registry.read('intent/mode'))?.value
}

it('a second gateway on the same state is told who has it, and can start once that one has ended', async () => {
  {
    await using _first = await started()
    for (const name of await readdir(folder)) {
      expect([name, (await stat(join(folder, name))).mode & 0o077]).toEqual([name, 0])
    }
    await expect(started()).rejects.toThrow(
      new RegExp(`chiyuan\\.db: another gateway uses it \\(pid ${process.pid}\\); stop that one`),
    )
  }
  await using _second = await started()
})

it('a killed gateway leaves no lock behind', async () => {
  const module = new URL('../../gateway/control/registry/sole-owner.ts', import.meta.url).href
  const script = `import { ownRegistry } from ${JSON.stringify(module)}
    globalThis.owner = ownRegistry(${JSON.stringify(file)}); console.log('owned'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  await once(child.stdout, 'data')
  expect(() => ownRegistry(file)).toThrow(`pid ${child.pid}`)
  child.kill('SIGKILL')
  await ended
  ownRegistry(file)[Symbol.dispose]()
})

it('is backed up while it is in use, put back, and what was there is kept', async () => {
  const copy = join(folder, 'copy.db')
  {
    await using gateway = await started()
    await setMode(gateway.adminPort, gateway.firstToken ?? '', 'emergency')
    const { audit, anchor } = await backUpState(file, copy)
    expect([audit, anchor]).toEqual([2, expect.stringMatching(/^2:[0-9a-f]{64}$/)])
    await setMode(gateway.adminPort, token, 'peacetime')
    await expect(restoreState(copy, file, 'too early', Date.now())).rejects.toThrow('another gateway uses it')
  }
  expect((await stat(copy)).mode & 0o077).toBe(0)
  expect(await modeIn(file)).toMatchObject({ mode: 'peacetime' })
  const { before } = await restoreState(copy, file, 'wrong mode', Date.now())
  expect(await modeIn(file)).toMatchObject({ mode: 'emergency' })
  expect(await modeIn(before ?? '')).toMatchObject({ mode: 'peacetime' })
  {
    await using registry = openEmbeddedRegistry(file)
    expect((await verifyAudit(registry)).fault).toBeNull()
    expect((await registry.list('audit/')).at(-1)?.value).toMatchObject({
      action: 'state.restore',
      reason: 'wrong mode',
    })
  }
  // The old token is good there: it was made before the backup.
  await setModes('peacetime')
})

it('a backup that is none, or whose audit log was touched, is refused and nothing changes', async () => {
  await setModes('emergency')
  const copy = join(folder, 'copy.db')
  await backUpState(file, copy)
  const database = new DatabaseSync(copy)
  database.exec(
    `UPDATE record SET value = replace(value, 'a test', 'a toast') WHERE key = 'audit/000000000002'`,
  )
  database.close()
  await expect(restoreState(copy, file, 'x', Date.now())).rejects.toThrow(
    'record 2 was changed after it was written',
  )
  const nonsense = join(folder, 'nonsense.db')
  await writeFile(nonsense, 'nothing of the sort '.repeat(100))
  await expect(restoreState(nonsense, file, 'x', Date.now())).rejects.toThrow("can't be opened")
  await expect(restoreState(join(folder, 'none.db'), file, 'x', Date.now())).rejects.toThrow(
    'there is no such file',
  )
  await expect(backUpState(file, copy)).rejects.toThrow('it is there already')
  await copyFile(file, join(folder, 'again.db'))
  expect(await modeIn(file)).toMatchObject({ mode: 'emergency' })
  expect((await readdir(folder)).filter((name) => name.includes('restoring'))).toEqual([])
})
