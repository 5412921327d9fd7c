// `chiyuan audit`: read from its end, verified by the gateway and without it, exported whole or not at all.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type CommandLine, commandLine, listening } from '../support/operators-command.ts'

let line: CommandLine
let file: string
let lines: string[]
let anchor: string
beforeAll(async () => {
  line = await commandLine()
  for (const mode of ['emergency', 'peacetime', 'file'])
    await line.good('mode', 'set', mode, '--reason', mode, '--yes')
  file = join(line.folder, 'audit.jsonl')
  await line.good('audit', 'export', '--out', file)
  lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  anchor = /anchor (\S+)/.exec(await line.good('audit', 'verify'))?.[1] ?? ''
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
})

it('lists the newest, and what follows a record', async () => {
  const rows = (await line.good('audit', 'list', '--limit', '2')).trimEnd().split('\n')
  expect(rows.slice(1).map((row) => row.split(/ {2,}/))).toMatchObject([
    ['3', expect.anything(), 'first admin', '127.0.0.1', 'mode.set', 'mode', 'done', 'peacetime'],
    ['4', expect.anything(), 'first admin', '127.0.0.1', 'mode.set', 'mode', 'done', 'file'],
  ])
  const after = JSON.parse(await line.good('audit', 'list', '--after', '1', '--limit', '2', '--json'))
  expect(after).toMatchObject({ items: [{ seq: 2 }, { seq: 3 }], next: 3 })
  expect(JSON.parse(await line.good('audit', 'list', '--limit', '1', '--json'))).toMatchObject({
    items: [{ seq: 4 }],
  })
})

it('finds the end of a log of any length with few requests', async () => {
  for (const length of [499, 500, 501, 1000, 1001, 123_457]) {
    await using log = await longLog(length)
    const args = ['audit', 'list', '--limit', '3', '--json', '--url', log.url]
    const { items } = JSON.parse(await line.good(...args))
    expect(items.map(({ seq }: { seq: number }) => seq)).toEqual([length - 2, length - 1, length])
    expect(log.requests).toBeLessThan(45)
  }
})

describe('verify', () => {
  it('is told by the gateway, with the anchor to keep', async () => {
    expect(anchor).toMatch(/^4:[0-9a-f]{64}$/)
    expect(await line.good('audit', 'verify', '--anchor', anchor)).toMatch(/^whole: 4 records/)
    const other = `4:${'0'.repeat(64)}`
    const ended = await line.run('audit', 'verify', '--anchor', other)
    expect(ended.code).toBe(1)
    expect(ended.stdout).toMatch(/^NOT WHOLE, at record 4 \(edited\)/)
    expect(await line.run('audit', 'verify', '--anchor', '4')).toMatchObject({ code: 2 })
  })

  it('holds an exported file to its chain, without a gateway or a token', async () => {
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const nobody = { CHIYUAN_URL: 'http://127.0.0.1:9', CHIYUAN_TOKEN_FILE: undefined }
    const whole = await line.runWith(nobody, 'audit', 'verify', '--file', file, '--anchor', anchor)
    expect(whole).toMatchObject({ code: 0, stderr: '' })
    expect(whole.stdout).toContain(`anchor ${anchor}`)
  })

  it.each<[string, (lines: string[]) => string[], number, string]>([
    ['edited', (all) => all.with(1, (all[1] ?? '').replace('emergency', 'peacetime')), 2, 'edited'],
    ['removed', (all) => all.toSpliced(2, 1), 3, 'missing'],
    ['moved', (all) => [...all.slice(0, 2), ...all.slice(0, 1), ...all.slice(2)], 3, 'moved'],
    ['made unreadable', (all) => all.with(3, '{'), 4, 'unreadable'],
    ['cut short', (all) => all.slice(0, 3), 3, 'cut-short'],
  ])('finds the first record that was %s', async (_, spoil, place, problem) => {
    const spoiled = join(line.folder, 'spoiled.jsonl')
    await writeFile(spoiled, `${spoil(lines).join('\n')}\n`)
    const args = ['audit', 'verify', '--file', spoiled, '--anchor', anchor]
    const { code, stdout } = await line.run(...args, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ whole: false, fault: { place, problem } })
    expect((await line.run(...args, '--lang', 'zh-CN')).stdout).toContain(`问题在第 ${place} 条`)
  })

  it('says which file it can’t read', async () => {
    const ended = await line.run('audit', 'verify', '--file', 'nowhere')
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr).toContain('--file nowhere: reading it failed')
  })
})

describe('export', () => {
  it('goes to standard output, and to a reader that has had enough', async () => {
    expect((await line.good('audit', 'export')).trimEnd().split('\n')).toEqual(lines)
    const child = line.start({}, 'audit', 'export')
    child.stdout.destroy()
    const [code] = await new Promise<[number | null]>((resolve) =>
      child.once('exit', (...end) => resolve([end[0]])),
    )
    expect(code).toBe(0)
  })

  it('leaves no half of a log behind', async () => {
    const breaking = createServer((_, response) => {
      response.write(`${lines[0]}\n`)
      setImmediate(() => response.destroy())
    })
    await using cut = await listening(breaking)
    const out = join(line.folder, 'half.jsonl')
    const ended = await line.run('audit', 'export', '--out', out, '--url', cut.url)
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain('the export broke off')
    expect(existsSync(out)).toBe(false)
  })
})

async function longLog(
  length: number,
): Promise<{ url: string; readonly requests: number } & AsyncDisposable> {
  let requests = 0
  const record = JSON.parse(lines[0] ?? '')
  const server = createServer((request, response) => {
    requests += 1
    const query = new URL(request.url ?? '', 'http://x').searchParams
    const after = Number(query.get('after'))
    const count = Math.max(0, Math.min(Number(query.get('limit')), length - after))
    const items = Array.from({ length: count }, (_, i) => ({ ...record, seq: after + i + 1 }))
    response.end(JSON.stringify({ items, next: after + count < length ? after + count : null }))
  })
  const listener = await listening(server)
  return {
    ...listener,
    get requests() {
      return requests
    },
  }
}
