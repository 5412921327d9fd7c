// Holds, mode and tokens by the command line: shown, asked about, carried out once, and refused by exit code.
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { type Child, type CommandLine, commandLine, listening, toEnd } from '../support/operators-command.ts'

let line: CommandLine
beforeAll(async () => {
  line = await commandLine()
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
})

const because = ['--reason', '磁盘故障']
const trip = ['hold', 'put', 'trip', '--node', 'xian-1', '--for', '10m', ...because]

async function putHold(): Promise<string> {
  return z.object({ id: z.string() }).parse(JSON.parse(await line.good(...trip, '--yes', '--json'))).id
}

/** A request of somebody else's, who does not use this command. */
const elsewhere = (method: string, path: string, version: string | null, body: unknown): Promise<Response> =>
  fetch(`${line.gateway.adminUrl}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${line.token}`,
      'content-type': 'application/json',
      ...(version !== null && { 'if-match': version }),
    },
    ...(body !== null && { body: JSON.stringify(body) }),
  })

const holdsOf = z.object({ items: z.array(z.looseObject({ id: z.string() })) })
const holds = async () => holdsOf.parse(await (await elsewhere('GET', '/holds', null, null)).json()).items

afterEach(async () => {
  for (const { id } of await holds()) await elsewhere('DELETE', `/holds/${id}?reason=over`, '*', null)
})

describe('chiyuan hold', () => {
  it('puts, lists, shows, extends and ends one, in words', async () => {
    const put = await line.run(...trip, '--yes')
    expect(put.code).toBe(0)
    expect(put.stderr).toMatch(
      /^trip on xian-1 for 10m, until .* \+00:00: nothing is sent to it\. Reason: 磁盘故障\nno traffic would move\n/,
    )
    const id = (await holds())[0]?.id ?? ''
    expect(put.stdout).toContain(id)
    const [heads = '', row = '', ...rest] = (await line.good('hold', 'list')).split('\n')
    expect(rest).toEqual([''])
    expect(row).toMatch(new RegExp(`^${id}  trip  xian-1  (?:10m|9m \\d+s) +first admin  磁盘故障$`))
    expect(heads.indexOf('Reason')).toBe(row.indexOf('磁盘'))
    expect(await line.good('hold', 'show', id, '--lang', 'zh-CN')).toMatch(
      /^编号 {4}.*\n类型 {4}trip: 不再向其转发任何请求\n/,
    )
    await line.good('hold', 'extend', id, '--for', '2h', '--reason', 'still', '--yes')
    expect(await line.good('hold', 'list', '--node', 'xian-1')).toMatch(/ (?:2h|1h 59m) /)
    expect(await line.good('hold', 'end', id, '--reason', 'repaired', '--yes')).toBe('ended\n')
    expect(await line.good('hold', 'list')).toBe('no holds\n')
  })

  it.each([
    ['neither node nor region', ['hold', 'put', 'trip', '--for', '1m', ...because, '--yes'], 2, '--node'],
    ['both', [...trip, '--region', '610100', '--yes'], 2, 'either a node by --node or a region by --region'],
    [
      'no reason',
      ['hold', 'put', 'trip', '--node', 'xian-1', '--for', '1m', '--yes'],
      2,
      "option '--reason <text>'",
    ],
    [
      'a kind that there is not',
      ['hold', 'put', 'stop', '--for', '1m', ...because],
      2,
      'Allowed choices are trip, drain, bypass',
    ],
    ['no length of time', [...trip, '--for', '10'], 2, 'such as 30s, 10m, 2h, 1d or 1h30m'],
    ['a length beyond all leases', [...trip, '--for', '400d', '--yes'], 2, 'body seconds'],
    [
      'a node that is not there',
      [...trip, '--node', 'xian-9', '--yes'],
      2,
      'there is no node xian-9; see: chiyuan nodes',
    ],
    ['an id that is not there', ['hold', 'end', 'a/b', ...because, '--yes'], 4, 'there is no such hold'],
    ['no subcommand', ['hold'], 2, 'Usage: chiyuan hold'],
    ['no person to ask', trip, 2, 'nothing was changed; say --yes'],
  ])('refuses %s', async (_, args, code, words) => {
    const ended = await line.run(...args)
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toContain(words)
    expect(await holds()).toEqual([])
  })

  it('shows nothing of what a terminal would obey', async () => {
    const hold = { id: 'x', kind: 'drain', region: '610100', owner: 'o', reason: 'a\u001B[2Jb\nc\u202Ed' }
    const times = { createdAt: '2026-01-05T00:00:00Z', expiresAt: '2026-01-05T00:10:00Z' }
    const answer = JSON.stringify({ items: [{ ...hold, ...times }], next: null })
    await using gateway = await listening(createServer((_, response) => response.end(answer)))
    const shown = await line.good('hold', 'list', '--url', gateway.url)
    expect(shown).toContain('a [2Jb cd')
    expect(shown.split('\n')).toHaveLength(3)
  })
})

describe('a change by somebody quicker', () => {
  it('ends with 5 and says who, when and why; nothing is overwritten', async () => {
    const id = await putHold()
    const child = line.onTerminal({}, 'hold', 'extend', id, '--for', '1h', '--reason', 'mine')
    await asking(child)
    const quicker = await elsewhere('PATCH', `/holds/${id}`, '"1"', { reason: 'theirs', seconds: 99 })
    expect(quicker.status).toBe(200)
    child.stdin.write('y\n')
    const { code, stdout } = await toEnd(child)
    expect(stdout).toMatch(
      /first admin changed it meanwhile \(hold\.extend, .*: theirs\); nothing of yours was changed/,
    )
    expect(code).toBe(5)
    expect(await line.good('hold', 'show', id)).toContain('theirs')
  })
})

describe('the question', () => {
  it('is answered with y', async () => {
    const child = line.onTerminal({}, ...trip)
    await asking(child)
    child.stdin.write('y\n')
    expect((await toEnd(child)).code).toBe(0)
    expect(await holds()).toHaveLength(1)
  })

  it.each([
    ['n', 'n\n', 1],
    ['nothing', '\n', 1],
    ['Ctrl-D', '\u0004', 1],
    ['Ctrl-C', '\u0003', 130],
  ])('answered with %s changes nothing', async (_, keys, code) => {
    const child = line.onTerminal({}, ...trip)
    await asking(child)
    child.stdin.write(keys)
    const ended = await toEnd(child)
    expect(ended.stdout).toContain('nothing was changed')
    expect(ended.code).toBe(code)
    expect(await holds()).toEqual([])
  })

  it('ends with the process that asks it', async () => {
    const child = line.start({}, ...trip)
    // Nobody is asked through a pipe, not even by a person at its other end.
    child.stdin.write('y\n')
    expect(await toEnd(child)).toMatchObject({ code: 2 })
    expect(await holds()).toEqual([])
  })
})

describe('chiyuan mode', () => {
  it('is shown, set, and left to the file again', async () => {
    expect(await line.good('mode', 'show')).toMatch(/^mode {7}peacetime\nset by {5}the configuration file\n/)
    const set = await line.run('mode', 'set', 'emergency', '--reason', '断电', '--yes')
    expect(set.stderr).toMatch(/^mode, for all regions: peacetime now, then emergency\. Reason: 断电\n/)
    expect(set.stderr).toContain('warns emergency: emergency mode would be in force')
    expect(await line.good('mode', 'show', '--lang', 'zh-CN')).toMatch(
      /模式 {6}emergency\n来源 {6}运维人员\n[^]*原因 {6}断电/,
    )
    await line.good('mode', 'set', 'file', '--reason', 'over', '--yes')
    expect(JSON.parse(await line.good('mode', 'show', '--json'))).toMatchObject({
      mode: 'peacetime',
      setBy: 'file',
    })
    const wrong = await line.run('mode', 'set', 'war', '--reason', 'x', '--yes')
    expect(wrong).toMatchObject({ code: 2, stdout: '' })
  })
})

const operator = ['--role', 'operator', '--scope', '610000,620100', '--reason', 'a test']

describe('chiyuan tokens', () => {
  it('shows a new one alone on standard output, and never again', async () => {
    const made = await line.run('tokens', 'create', '--name', '李雷', ...operator, '--days', '30')
    expect(made.stdout).toMatch(/^chiyuan_[a-z0-9]{8}_[\w-]{43}\n$/)
    expect(made.stderr).toMatch(/name +李雷\n[^]*regions +610000 620100\n[^]*shown this once/)
    expect(made.stderr).not.toContain(made.stdout.trim())
    // The secret may have underscores of its own.
    const [, id = '', secret = ''] = /^chiyuan_([a-z0-9]+)_(.+)$/.exec(made.stdout.trim()) ?? []
    const told = (await line.good('tokens', 'list')) + (await line.good('tokens', 'show', id, '--json'))
    expect(told).toContain('李雷')
    expect(told).not.toContain(secret)
  })

  it('writes it to a file of one’s own, and makes none where it can’t', async () => {
    const file = join(line.folder, 'lilei.token')
    const made = await line.run('tokens', 'create', '--name', 'a', ...operator, '--out', file)
    expect(made).toMatchObject({ code: 0, stdout: '' })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await line.run('me', '--token-file', file)).stdout).toContain('610000 620100')
    const before = await line.good('tokens', 'list', '--json')
    const again = await line.run('tokens', 'create', '--name', 'b', ...operator, '--out', file)
    expect(again).toMatchObject({ code: 2, stdout: '' })
    expect(again.stderr).toContain('it is there already')
    expect(await line.good('tokens', 'list', '--json')).toBe(before)
    const refused = await line.run(
      'tokens',
      'create',
      '--name',
      'b',
      ...operator,
      '--out',
      join(line.folder, 'b'),
      '--scope',
      'x',
    )
    expect(refused.code).toBe(2)
    expect(existsSync(join(line.folder, 'b'))).toBe(false)
  })

  it('rotates and revokes: what was is no good at once', async () => {
    const file = join(line.folder, 'old.token')
    await line.good('tokens', 'create', '--name', 'c', ...operator, '--out', file)
    const [, id = ''] = readFileSync(file, 'utf8').split('_')
    const fresh = join(line.folder, 'new.token')
    await line.good('tokens', 'rotate', id, '--reason', 'a test', '--yes', '--out', fresh)
    expect((await line.run('me', '--token-file', file)).code).toBe(3)
    expect((await line.run('me', '--token-file', fresh)).code).toBe(0)
    expect((await line.run('tokens', 'revoke', id, '--reason', 'a test')).code).toBe(2)
    await line.good('tokens', 'revoke', id, '--reason', 'a test', '--yes')
    expect((await line.run('me', '--token-file', fresh)).code).toBe(3)
    const twice = await line.run('tokens', 'revoke', id, '--reason', 'a test', '--yes')
    expect(twice).toMatchObject({ code: 5 })
    expect(twice.stderr).toContain('revoked already')
  })

  it('makes an admin’s by hand where none is left, and the log tells it', async () => {
    const config = join(line.folder, 'gateway.yaml')
    const { dataDir } = line.gateway.config
    const regions = [
      { code: '610100', name: { zh: '西安', en: 'Xi’an' }, nodes: [{ id: 'x', url: 'http://127.0.0.1:9' }] },
    ]
    await writeFile(config, stringify({ dataDir, home: { default: '610100' }, regions }))
    const file = join(line.folder, 'rescued.token')
    const none = { CHIYUAN_TOKEN_FILE: undefined }
    const by = ['tokens', 'create', '--local', '--config', config, '--out', file, '--reason', 'lost']
    const made = await line.runWith(none, ...by)
    expect([made.code, made.stdout, made.stderr]).toEqual([0, '', expect.stringContaining('admin token')])
    const rescued = { CHIYUAN_TOKEN_FILE: file }
    expect((await line.runWith(rescued, 'me')).stdout).toContain('admin')
    const log = await line.runWith(rescued, 'audit', 'list', '--limit', '1')
    expect(log.stdout).toMatch(/command line +local +token\.create +tokens\/\w+ +done +lost/)
    await writeFile(config, stringify({ dataDir: line.folder, home: { default: '610100' }, regions }))
    const elsewhere = await line.runWith(none, ...by.with(by.indexOf(file), `${file}2`))
    expect(elsewhere.code).toBe(2)
    expect(elsewhere.stderr).toContain('there is no registry')
    expect(existsSync(`${file}2`)).toBe(false)
  })
})

/** Resolves once it asks. */
async function asking(child: Child): Promise<void> {
  let shown = ''
  while (!shown.includes('[y/N]')) {
    const [chunk] = await once(child.stdout, 'data')
    shown += String(chunk)
  }
}
