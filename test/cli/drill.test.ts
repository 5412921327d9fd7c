// `chiyuan drill`: from a plan in a file to a report, at a command line, with residents who ask meanwhile.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { stringify } from 'yaml'
import { z } from 'zod'
import { askAway } from '../support/drill-client.ts'
import { type CommandLine, commandLine, toEnd } from '../support/operators-command.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const started = new AsyncDisposableStack()
let line: CommandLine

beforeAll(async () => {
  const node = async (name: string): Promise<string> => started.use(await httpUpstream(named(name))).url
  line = started.use(
    await commandLine({}, [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': await node('own') } },
      { code: '610400', nodes: { 'xianyang-1': await node('neighbour') } },
      { code: '610000', tier: 'province', nodes: { 'shaanxi-1': await node('province') } },
    ]),
  )
  started.use(askAway(line.gateway.url, 400, Infinity, { atOnce: 3, pauseMs: 5 }))
})
afterAll(async () => {
  await started.disposeAsync()
})

const because = ['--reason', 'a test']
const plan = (changes: object = {}) => ({
  name: 'Xi’an goes dark',
  reason: 'a test',
  scope: { homes: ['610100'], levels: ['local'] },
  fault: { kind: 'refuse' },
  cohort: 0.05,
  seconds: 2,
  ...changes,
})

async function fileOf(content: unknown, name = 'plan.yaml'): Promise<string> {
  const file = join(line.folder, name)
  await writeFile(file, typeof content === 'string' ? content : stringify(content))
  return file
}

async function draft(changes: object = {}): Promise<string> {
  const made = await line.good('drill', 'draft', '--file', await fileOf(plan(changes)), '--json')
  return z.object({ id: z.string() }).parse(JSON.parse(made)).id
}

async function wang(): Promise<string> {
  const file = join(line.folder, 'wang.token')
  const what = ['--name', 'Wang', '--role', 'approver', '--scope', '*', '--out', file]
  await line.run('tokens', 'create', ...what, ...because)
  return file
}

it('a plan, its preview, the drill as it goes, and its report in three forms', async () => {
  const id = await draft()
  const seen = await line.good('drill', 'preview', id)
  expect(seen).toContain('nodes that its cohort meets the fault at: 610100: xian-1')
  const start = await line.run('drill', 'start', id, ...because)
  expect(start).toMatchObject({ code: 2, stderr: expect.stringContaining('say --yes') })
  const ran = await line.run('drill', 'start', id, ...because, '--override', '--yes', '--watch')
  expect(ran).toMatchObject({ code: 0, stderr: expect.stringContaining('verdict: passed') })
  const told = [
    'fault on',
    'first request served elsewhere',
    'fault off',
    'steady: all served at home',
    'over',
  ]
  const places = told.map((words) => ran.stdout.indexOf(words))
  expect([...places].sort((a, b) => a - b)).toEqual(places)
  expect(places).not.toContain(-1)
  expect(await line.good('drill', 'report', id)).toContain('| ')
  const file = join(line.folder, 'report.html')
  await line.good('drill', 'report', id, '--out', file)
  expect(await readFile(file, 'utf8')).toContain('<svg')
  expect(await line.run('drill', 'report', id, '--out', file)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('name a new file'),
  })
  const json: unknown = JSON.parse(await line.good('drill', 'report', id, '--format', 'json'))
  expect(json).toMatchObject({ drill: id, verdict: 'passed' })
  const shown = await line.good('drill', 'show', id)
  expect(shown).toMatch(/state +reported/)
  expect(await line.good('drill', 'list', '--state', 'reported')).toContain(id)
  // The newest first, whatever their ids are.
  const drafts = [await draft(), await draft(), await draft()]
  const rows = (await line.good('drill', 'list', '--state', 'draft'))
    .split('\n')
    .map((row) => row.split(' ')[0])
  expect(rows.filter((one) => one !== undefined && drafts.includes(one))).toEqual(drafts.toReversed())
  const chinese = await line.good('drill', 'list', '--lang', 'zh-CN')
  expect(chinese).toContain('已出报告')
}, 40_000)

it('a wide one waits for another person', async () => {
  const id = await draft({ cohort: 0.5 })
  expect(await line.good('drill', 'preview', id)).toContain('another person has to approve it')
  const self = await line.run('drill', 'approve', id, ...because)
  expect(self).toMatchObject({ code: 5, stderr: expect.stringContaining('ask another approver') })
  await line.good('drill', 'approve', id, ...because, '--token-file', await wang())
  expect(await line.good('drill', 'show', id)).toMatch(/approver +Wang/)
  await line.good('drill', 'stop', id, ...because)
})

it('Ctrl-C looks away; the drill goes on until somebody ends it', async () => {
  const id = await draft({ seconds: 60 })
  await line.good('drill', 'preview', id)
  await line.good('drill', 'start', id, ...because, '--override', '--yes')
  const child = line.start({}, 'drill', 'watch', id)
  const ended = toEnd(child)
  child.stdout.once('data', () => child.kill('SIGINT'))
  const { code, stderr } = await ended
  expect([code, stderr]).toEqual([130, expect.stringContaining(`chiyuan drill stop ${id}`)])
  expect(await line.good('drill', 'show', id)).toMatch(/state +RUNNING/)
  await line.good('drill', 'stop', id, ...because)
  const watched = await line.run('drill', 'watch', id)
  expect(watched).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ENDED EARLY (somebody ended it'),
  })
}, 40_000)

it('stop --all ends what is on and bars what is not, until it is released', async () => {
  const id = await draft({ seconds: 60 })
  await line.good('drill', 'preview', id)
  await line.good('drill', 'start', id, ...because, '--override', '--yes')
  expect(await line.good('drill', 'stop', '--all', '--reason', 'enough')).toContain(
    'SET: all drills are ended',
  )
  const watched = await line.run('drill', 'watch', id)
  expect(watched.stderr).toContain('ENDED EARLY (the lever was pulled')
  expect(await line.good('drill', 'lever')).toMatch(/reason +enough/)
  const next = await draft()
  await line.good('drill', 'preview', next)
  const refused = await line.run('drill', 'start', next, ...because, '--override', '--yes')
  expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('lever') })
  await line.good('drill', 'stop', next, ...because)
  await line.good('drill', 'release', '--reason', 'calm')
  expect(await line.good('drill', 'lever')).toBe('not set: drills may begin\n')
  expect(await line.run('drill', 'stop', ...because)).toMatchObject({ code: 2 })
}, 40_000)

describe('a plan', () => {
  it('is given by options where a file would be too much', async () => {
    const scope = ['--home', '610100', '--level', 'local', '--node', 'xian-1']
    const what = ['--fault', 'latency:ms=20,jitterMs=5', '--cohort', '0.05', '--for', '1m']
    const made = await line.good('drill', 'draft', '--name', 'slow', ...because, ...scope, ...what)
    expect(made).toMatch(/fault +latency ms=20 jitterMs=5\nat +local xian-1\n/)
  })

  it('that can’t be used is told by the file’s lines', async () => {
    const text = stringify(plan({ fault: { kind: 'meteor' }, seconds: -5 }))
    const ended = await line.run('drill', 'draft', '--file', await fileOf(text, 'bad.yaml'))
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    const lineOf = (words: string): number => text.split('\n').findIndex((row) => row.includes(words)) + 1
    expect(ended.stderr).toContain(`bad.yaml:${lineOf('meteor')}: fault.kind: `)
    expect(ended.stderr).toContain(`bad.yaml:${lineOf('seconds')}: seconds: `)
  })
})

describe('a game day', () => {
  const day = (drills: readonly object[], changes: object = {}) => ({
    name: 'Q4',
    reason: 'quarterly',
    drills,
    ...changes,
  })

  it('runs its drills in order, tells how each went, and keeps their reports', async () => {
    const drills = [
      plan({ override: true, pauseSeconds: 0.2 }),
      plan({ name: '时延', fault: { kind: 'latency', ms: 30, jitterMs: 5 }, override: true }),
    ]
    const file = await fileOf(day(drills), 'day.yaml')
    const dry = await line.run('drill', 'run', file, '--dry-run')
    expect(dry).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('1. Xi’an goes dark: refuse @ local'),
    })
    const out = join(line.folder, 'reports')
    const ran = await line.run('drill', 'run', file, '--yes', '--out', out)
    expect([ran.code, ran.stderr]).toEqual([0, expect.stringContaining('verdict: passed')])
    const rows = ran.stdout.split('\n').filter((row) => /passed/.test(row))
    expect(rows.map((row) => row.split(/ {2,}/)[0])).toEqual(['Xi’an goes dark', '时延'])
    // Those of the dry run are given up.
    expect(await line.good('drill', 'list', '--state', 'previewed')).toBe('no drills\n')
  }, 60_000)

  it('ends at the first that does not pass, and gives up the others', async () => {
    const impossible = { objectives: { detectMs: 0 }, override: true }
    const file = await fileOf(
      day([plan(impossible), plan({ name: 'second', override: true })]),
      'failing.yaml',
    )
    const ran = await line.run('drill', 'run', file, '--yes')
    expect([ran.code, ran.stdout]).toEqual([1, expect.stringMatching(/second +not run/)])
    expect(ran.stdout).toMatch(/Xi’an goes dark +FAILED/)
    expect(await line.good('drill', 'list', '--state', 'previewed')).toBe('no drills\n')
  }, 40_000)

  it('that guards object to begins nothing', async () => {
    const all = { homes: ['610100'], levels: ['local', 'neighbour', 'province'] }
    const file = await fileOf(day([plan({ override: true }), plan({ name: 'all', scope: all })]), 'all.yaml')
    const ran = await line.run('drill', 'run', file, '--yes')
    expect(ran).toMatchObject({ code: 5, stderr: expect.stringContaining('guards object to all') })
    expect(await line.good('drill', 'list', '--state', 'running')).toBe('no drills\n')
  }, 20_000)

  it('waits for another person where a drill is wide', async () => {
    const file = await fileOf(day([plan({ cohort: 0.5, override: true })]), 'wide.yaml')
    const child = line.start({}, 'drill', 'run', file, '--yes')
    child.stdin.end()
    let said = ''
    const asked = new Promise<string>((resolve) => {
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        const [, id] = /chiyuan drill approve (\S+)/.exec(said) ?? []
        if (id !== undefined) resolve(id)
      })
    })
    const ended = toEnd(child)
    await line.good('drill', 'approve', await asked, ...because, '--token-file', await wang())
    expect((await ended).code).toBe(0)
  }, 40_000)

  it.each([
    ['drills: []', /drills: it must be at least one drill/],
    ['drils: [{name: x}]', /drils: unknown field; a game day has/],
    ['drills: [{name: x, pauseSeconds: -1}]', /drills\[0\]\.pauseSeconds: it must be 0 or more seconds/],
    ['drills: [{name: x, fault: {kind: trip}}]', /scope/],
  ])('%s is told by its line', async (rest, wanted) => {
    const file = await fileOf(`name: a\nreason: b\n${rest}\n`, 'typo.yaml')
    const ended = await line.run('drill', 'run', file)
    expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(wanted) })
    expect(ended.stderr).toContain('typo.yaml:')
  })
})
