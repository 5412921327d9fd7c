// `chiyuan drill compare` and `scoreboard`: what a person reads, in both languages, and a program.
import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import { Command } from 'commander'
import { compareCommand } from '../../gateway/cli/operators/drill/compare.ts'
import { scoreboardCommand } from '../../gateway/cli/operators/drill/scoreboard.ts'
import { width } from '../../gateway/cli/table.ts'
import { regionId } from '../../gateway/model/ids.ts'
import { aReport, aSummary, endedDaysAgo, putOver } from '../support/drill-reports.ts'
import { type Api, openApi } from '../support/operators.ts'
import { listening } from '../support/operators-command.ts'

let api: Api
let gateway: Awaited<ReturnType<typeof listening>>
beforeAll(async () => {
  api = await openApi()
  gateway = await listening(createServer(api.app))
  const { scope, times } = aReport()
  const slow = { times: { ...times, detectMs: 900 }, cohort: aSummary({ underFault: { p99Ms: 30 } }) }
  await putOver(api, { ...slow, drill: 'a', run: endedDaysAgo(100) })
  await putOver(api, { drill: 'b', run: endedDaysAgo(1), cohort: aSummary({ underFault: { p99Ms: 300 } }) })
  const elsewhere = { ...scope, homes: [regionId('620100')] }
  await putOver(api, { drill: 'c', scope: elsewhere, verdict: 'failed', run: endedDaysAgo(2) })
  process.env['CHIYUAN_TOKEN'] = api.admin
})
afterAll(async () => {
  delete process.env['CHIYUAN_TOKEN']
  await gateway[Symbol.asyncDispose]()
  await api[Symbol.asyncDispose]()
})

async function shown(...args: readonly string[]): Promise<string> {
  let text = ''
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk)
    return true
  })
  try {
    const drill = new Command('drill').addCommand(compareCommand()).addCommand(scoreboardCommand())
    await drill.parseAsync([...args, '--url', gateway.url], { from: 'user' })
  } finally {
    write.mockRestore()
    process.stdout.removeAllListeners('error')
  }
  return text
}

const cells = (text: string): string[][] =>
  text
    .trimEnd()
    .split('\n')
    .map((row) => row.split(/ {2,}/))

it('compare: each figure with its tolerance and its judgement', async () => {
  const rows = cells(await shown('compare', 'a', 'b', '--lang', 'en'))
  expect(rows[0]).toEqual(['Verdict: same; of the figures 1 better, 2 worse, 11 same, 0 unknown'])
  expect(rows).toContainEqual(['time to detect, ms', '900', '400', '-500', '± 200', 'better'])
  expect(rows).toContainEqual(['p99, ms', '30', '300', '+270', '± 27', 'WORSE'])
  const other = await shown('compare', 'a', 'c', '--lang', 'zh-CN')
  expect(other).toMatch(/^两次演练不可比，仅列出数值\n/)
  expect(cells(other)).toContainEqual(['属地', '610100', '620100', '不可比'])
  expect(JSON.parse(await shown('compare', 'a', 'b', '--json'))).toMatchObject({ isComparable: true })
})

it('scoreboard: worst first, columns under each other in Chinese too', async () => {
  expect(
    cells(await shown('scoreboard', '--lang', 'en')).map((row) => [row[0], row[4], row[5], row.at(-1)]),
  ).toEqual([
    ['Code', 'Faults', 'Never tested', 'State'],
    ['620100', '1/8', 'trip blackhole +5', 'FAILED: the last drill did not pass'],
    ['610400', '0/8', 'all', 'NEVER TESTED'],
    ['610100', '1/8', 'trip blackhole +5', 'ready'],
  ])
  const lines = (await shown('scoreboard', '--lang', 'zh-CN')).trimEnd().split('\n')
  const before = (line: string, word: string): number => width(line.slice(0, line.lastIndexOf(word)))
  const at = before(lines[0] ?? '', '状态')
  expect([
    before(lines[1] ?? '', '未通过'),
    before(lines[2] ?? '', '从未验证'),
    before(lines[3] ?? '', '就绪'),
  ]).toEqual([at, at, at])
  expect(JSON.parse(await shown('scoreboard', '--json')).items).toHaveLength(3)
})

it('scoreboard of one region: each fault, level and node', async () => {
  const text = await shown('scoreboard', '--region', '610100', '--lang', 'en')
  expect(text).toMatch(/^code {10}610100\n/)
  const rows = cells(text)
  expect(rows).toContainEqual([
    'refuse connections refused',
    expect.any(String),
    '1 d ago',
    'passed',
    'b',
    'ready',
  ])
  expect(rows).toContainEqual(['trip breaker held open', '-', '-', '-', '-', 'NEVER TESTED'])
  expect(rows).toContainEqual(['', 'xian-1', expect.any(String), '1 d ago', 'b'])
  expect(rows).toContainEqual(['neighbour', '610400', 'whole', 'NEVER', '-', '-'])
})

it('what is not there ends with 4, what has not run yet with 5', async () => {
  const error = jest.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    await shown('compare', 'a', 'none', '--lang', 'en')
    expect(process.exitCode).toBe(4)
    const { body } = await api.post('/drills', {
      name: 'x',
      reason: 'a test',
      scope: { homes: ['610100'], levels: ['local'] },
      fault: { kind: 'trip' },
      cohort: 0.05,
      seconds: 60,
    })
    await shown('compare', 'a', body.id, '--lang', 'en')
    expect(process.exitCode).toBe(5)
    expect(String(error.mock.calls.at(-1)?.[0])).toContain('has no report; compare drills that have run')
  } finally {
    error.mockRestore()
    process.exitCode = 0
  }
})
