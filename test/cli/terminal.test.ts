// What only a terminal shows, and a pipe must not: colour, progress; and what a shell completes.
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { emptyChain, sealed } from '../../gateway/control/audit/chain.ts'
import { cut, width } from '../../gateway/cli/table.ts'
import { cli, type CommandLine, commandLine, toEnd } from '../support/operators-command.ts'

let line: CommandLine
beforeAll(async () => {
  line = await commandLine()
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
})

describe('colour', () => {
  const green = '\u001B[32m'
  it('is on a terminal, beside words; not in a pipe, and not where NO_COLOR asks for none', async () => {
    const shown = async (env: Record<string, string>) =>
      (await toEnd(line.onTerminal(env, 'audit', 'verify'))).stdout
    expect(await shown({ TERM: 'xterm' })).toContain(`${green}whole: 1 records`)
    expect(await shown({ TERM: 'xterm', NO_COLOR: '1' })).toMatch(/^whole: 1 records/)
    expect(await line.good('audit', 'verify')).toMatch(/^whole: 1 records/)
  })
})

it('shows how far it is in a long log, on the terminal alone', async () => {
  const lines: string[] = []
  const entry = {
    actor: { id: 'x', name: '李雷' },
    from: '127.0.0.1',
    action: 'mode.set',
    target: 'mode',
    reason: 'a test',
    before: null,
    after: null,
    outcome: 'done' as const,
    detail: null,
  }
  for (let head = emptyChain; head.seq < 30_000;) {
    const record = sealed(entry, head, 0)
    lines.push(JSON.stringify(record))
    head = record
  }
  const file = join(line.folder, 'long.jsonl')
  await writeFile(file, `${lines.join('\n')}\n`)
  const watched = await toEnd(line.onTerminal({}, 'audit', 'verify', '--file', file))
  expect(watched.code).toBe(0)
  expect(watched.stdout).toMatch(/\[#*-+\] \d+ %/)
  expect(watched.stdout).toContain('\u001B[Kwhole: 30000 records')
  const piped = await line.run('audit', 'verify', '--file', file)
  expect(piped).toMatchObject({ code: 0, stderr: '' })
  expect(piped.stdout).toMatch(/^whole: 30000 records/)
})

it.each([
  ['xian-1', 6],
  ['西安', 4],
  ['（战）', 6],
  ['Xi’an', 5],
  ['e\u0301', 1],
  ['ｶﾅ', 2],
  ['한국', 4],
  ['🚑', 2],
])('takes %s for %d columns', (word, columns) => {
  expect(width(word)).toBe(columns)
})

it.each([
  ['short', 5, 'short'],
  ['a longer line', 6, 'a lon…'],
  ['参与组的延迟', 6, '参与…'],
])('of %s %d columns show %s', (text_, columns, shown) => {
  expect(cut(text_, columns)).toBe(shown)
  expect(width(shown)).toBeLessThanOrEqual(columns)
})

describe('completion in a real bash', () => {
  const offered = async (...words: string[]): Promise<string[]> => {
    const script = `source <("$0" "$1" completion bash); shift
      complete -p chiyuan >/dev/null || exit 9
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _chiyuan; printf '%s\\n' "\${COMPREPLY[@]}"`
    const bash = spawn('bash', ['-c', script, process.execPath, cli, 'chiyuan', ...words], { stdio: 'pipe' })
    return (await text(bash.stdout)).split('\n').filter((word) => word !== '')
  }
  it.each([
    [['ho'], ['hold']],
    [
      ['hold', 'e'],
      ['extend', 'end'],
    ],
    [['hold', 'put', ''], expect.arrayContaining(['trip', 'drain', 'bypass', '--node', '--for'])],
    [['hold', 'put', 'trip', '--no'], ['--node']],
    [['hold', 'list', '--lang', 'z'], ['zh-CN']],
    [['tokens', 'create', '--role', 'dr'], ['drill-lead']],
    [['keys', 'n'], ['new']],
    // Files, which the shell finds by itself.
    [['me', '--token-file', ''], []],
    [['nothing', '--of', 'ours-'], []],
  ])('%j', async (words, words2) => {
    expect(await offered(...words)).toEqual(words2)
  })

  it('knows three shells', async () => {
    expect(await line.good('completion', 'zsh')).toMatch(/^#compdef chiyuan\n/)
    expect(await line.good('completion', 'fish')).toContain('complete -c chiyuan')
    expect((await line.run('completion', 'csh')).stderr).toContain('Allowed choices are bash, zsh, fish')
  })
})

it.each(['hold', 'mode', 'tokens', 'audit', 'me'])(
  '%s has help with examples in both languages',
  async (name) => {
    const help = await line.good(name, '--help')
    expect(help).toContain('Examples 示例:')
    expect(help).toContain(`  chiyuan ${name}`)
    expect(help).toMatch(/Exit code 退出码: 0 done 完成, 1 failed 失败, 2 wrong usage/)
  },
)
