// A game day's file and a plan's options, judged before a gateway is asked; and a day on which not all goes well.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cli, listening, toEnd } from '../support/operators-command.ts'
import { scriptedDrill } from '../support/scripted-drill.ts'
import {
  type DraftFlags,
  fault,
  hasFile,
  planOfFlags,
} from '../../gateway/cli/operators/drill/draft-flags.ts'
import { parseGameDay } from '../../gateway/cli/operators/drill/game-day-file.ts'

const day = (rest: string): string => `name: a\nreason: b\n${rest}\n`

describe('a game day in a file', () => {
  it('keeps what a plan has, and fills in what the file leaves out', () => {
    const { day: read } = parseGameDay(day('drills: [{ name: one, seconds: 5, pauseSeconds: 3 }]'), 'd.yaml')
    expect(read).toEqual({
      name: 'a',
      reason: 'b',
      continueOnFailure: false,
      drills: [{ pauseSeconds: 3, override: false, plan: { name: 'one', seconds: 5 } }],
    })
  })

  it.each([
    ['drills: []', 'd.yaml:3: drills: it must be at least one drill, not []'],
    ['drills: 5', 'd.yaml:3: drills: it must be a list of drills, each with name, scope and fault, not 5'],
    [
      'drills: [5]',
      'd.yaml:3: drills[0]: it must be a drill: name, scope, fault and what else a plan has, not 5',
    ],
    [
      'drills:\n  - { pauseSeconds: 1 }',
      'd.yaml:4: drills[0].name: it is missing; write a short text, such as: Xi’an goes dark',
    ],
    [
      'drills:\n  - name: x\n    pauseSeconds: -1',
      'd.yaml:5: drills[0].pauseSeconds: it must be 0 or more seconds, not -1',
    ],
    [
      'drills: [{ name: x }]\ncontinueOnFailure: yes please',
      'd.yaml:4: continueOnFailure: it must be true or false, not "yes please"',
    ],
  ])('%s is told by line, field, value and what would be right', (rest, words) => {
    expect(() => parseGameDay(day(rest), 'd.yaml')).toThrow(words)
  })

  it('tells all that is wrong at once, and what a misspelt field may mean', () => {
    expect(() => parseGameDay('name: a\ndrils: []\n', 'd.yaml')).toThrow(
      /reason: it is missing[^]*did you mean drills\?/,
    )
  })

  it.each(['', '[]', 'just text'])('%j is no game day', (text) => {
    expect(() => parseGameDay(text, 'd.yaml')).toThrow('fields and their values: name, reason, drills')
  })
})

describe('a plan by options', () => {
  const whole: DraftFlags = {
    name: 'dark',
    reason: 'quarterly',
    home: ['610100'],
    level: ['local'],
    fault: { kind: 'refuse' },
    cohort: 0.05,
    for: 60,
  }

  it('is what the API takes', () => {
    expect(planOfFlags(whole)).toEqual({
      name: 'dark',
      reason: 'quarterly',
      scope: { homes: ['610100'], levels: ['local'], regions: [], nodes: [] },
      fault: { kind: 'refuse' },
      cohort: 0.05,
      seconds: 60,
    })
  })

  it('names the options that are missing', () => {
    expect(() => planOfFlags({ name: 'dark', home: ['610100'] })).toThrow(
      'these as well: --reason, --fault, --cohort, --for',
    )
  })

  it('does not stand beside a file', () => {
    expect(hasFile({ file: 'plan.yaml' })).toBe(true)
    expect(() => hasFile({ file: 'plan.yaml', cohort: 0.1 })).toThrow('write --cohort into it')
  })

  it('reads a fault with its figures', () => {
    expect(fault('latency:ms=200,jitterMs=50')).toEqual({ kind: 'latency', ms: 200, jitterMs: 50 })
    expect(() => fault('meteor')).toThrow('one of trip, blackhole, refuse')
    expect(() => fault('latency:200')).toThrow('ms=200,jitterMs=50')
  })
})

describe('a game day', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chiyuan-game-day-'))
    await writeFile(join(folder, 'day.yaml'), day('drills: [{ name: wide }]'))
    await writeFile(join(folder, 'token'), `chiyuan_${'a'.repeat(43)}\n`, { mode: 0o600 })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const start = (url: string, ...args: string[]) => {
    const all = [cli, 'drill', 'run', 'day.yaml', '--yes', '--url', url, '--token-file', 'token', ...args]
    const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' }
    const child = spawn(process.execPath, all, { cwd: folder, env, stdio: 'pipe' })
    child.stdin.end()
    return child
  }
  const run = (url: string, ...args: string[]) => toEnd(start(url, ...args))

  it('waits out the wait period of an approved drill, and a gateway that is away for a while', async () => {
    const { server, asked } = scriptedDrill()
    await using gateway = await listening(server)
    const { code, stdout, stderr } = await run(gateway.url)
    expect([code, stderr]).toEqual([0, expect.stringContaining('waiting out the wait period')])
    expect(stderr).toContain('the gateway does not answer; asking again')
    expect(stdout).toMatch(/wide +passed +1 ms +2 ms +3 ms +4 +0 +d1/)
    // Its second start is after the wait; its third look is after the lost one.
    expect(asked.filter((one) => one.endsWith('/start'))).toHaveLength(2)
    expect(asked.filter((one) => one.endsWith('/progress'))).toHaveLength(3)
    expect(asked).not.toContain('POST /drills/d1/stop')
  })

  it('gives up what it has drafted on Ctrl-C, whatever it is doing', async () => {
    const { server, asked } = scriptedDrill()
    await using gateway = await listening(server)
    const child = start(gateway.url)
    server.prependListener('request', ({ url }) => url?.endsWith('/preview') === true && child.kill('SIGINT'))
    const { code, stderr } = await toEnd(child)
    expect([code, stderr]).toEqual([130, expect.stringContaining('none of its drills is on')])
    expect(asked).toContain('POST /drills/d1/stop')
  })

  it('is one document for a program', async () => {
    await using gateway = await listening(scriptedDrill().server)
    const { code, stdout } = await run(gateway.url, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      name: 'a',
      drills: [{ id: 'd1', name: 'wide', report: expect.objectContaining({ verdict: 'passed' }) }],
    })
  })

  it('drafts nothing where its reports have no place', async () => {
    const { server, asked } = scriptedDrill()
    await using gateway = await listening(server)
    const { code, stderr } = await run(gateway.url, '--out', 'day.yaml')
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^chiyuan: day\.yaml: it can't be the folder/)])
    expect(asked).toEqual([])
  })
})
