// Why a command did not do what it was asked to, and the exit code that says so to a script.
import { z } from 'zod'
import { UsageError } from '../../model/errors.ts'
import { oneLine } from '../table.ts'
import { type Language, inLanguage, type Words } from './language.ts'

/** What every operators' command ends with; docs/operators-cli.md and each help tell them. */
export const exitCodes = {
  done: 0,
  /** Could not be carried out: no gateway there, a fault of the gateway's, a log that is not whole, an answer of no. */
  failed: 1,
  /** A wrong option, file or value. */
  usage: 2,
  /** No token, one that is no good, or one that may not. */
  notAllowed: 3,
  notFound: 4,
  /** What is does not allow it, a guard objects, or somebody was quicker. */
  refused: 5,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Ends a command with words and a code. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly words: Words
  readonly exitCode: ExitCode
  /** The API's own problem, for `--json`. */
  readonly problem: Problem | null

  constructor(exitCode: ExitCode, words: Words, problem: Problem | null = null) {
    super(words.en)
    this.exitCode = exitCode
    this.words = words
    this.problem = problem
  }
}

/** RFC 9457, as far as it is used here. */
export const problemSchema = z.looseObject({
  type: z.string().default('about:blank'),
  title: z.string().default(''),
  status: z.int(),
  detail: z.string().default(''),
  errors: z.array(z.looseObject({ in: z.string(), field: z.string(), detail: z.string() })).default([]),
})
export type Problem = z.output<typeof problemSchema>

/** @param retryAfter Value of that header. */
export function failureOf(problem: Problem, retryAfter: string | null): CommandFailure {
  const name = problem.type.replace('urn:chiyuan:problem:', '')
  const wait =
    retryAfter === null ? [] : [{ en: `try again in ${retryAfter} s`, zh: `请在 ${retryAfter} 秒后重试` }]
  const steps = [...(nextSteps[name] ?? []), ...wait]
  const words = (language: Language): string =>
    [
      heading(language, name, problem),
      ...problem.errors.map(({ in: where, field, detail }) => `${`${where} ${field}`.trim()}: ${detail}`),
      ...steps.map((step) => inLanguage(language, step)),
    ]
      .map((line, i) => (i === 0 ? '' : '  ') + asCommands(oneLine(line)))
      .join('\n')
  return new CommandFailure(codeOf(problem.status), { en: words('en'), zh: words('zh-CN') }, problem)
}

/** The API names its own paths where something is to be looked up. */
const asCommands = (line: string): string =>
  line.replaceAll(
    /\blist \/(holds|tokens|regions|nodes|enrolments)\b/g,
    (_, name: string) => `see: chiyuan ${lists[name] ?? name}`,
  )

const lists: Readonly<Record<string, string>> = {
  holds: 'hold list',
  tokens: 'tokens list',
  enrolments: 'enrol list',
}

/** The detail names the fields again where they are listed one by one. */
function heading(language: Language, name: string, { title, detail, errors }: Problem): string {
  const told = language === 'en' ? title : (titlesInChinese[name] ?? title)
  if (errors.length > 0 || detail === '') return told
  // How the API is overruled is not how this command is.
  return `${told}: ${name === 'guarded' ? detail.replace(/^guards object: |; .*$/g, '') : detail}`
}

function codeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return exitCodes.notAllowed
  if (status === 404) return exitCodes.notFound
  if (status === 409 || status === 412 || status === 428) return exitCodes.refused
  return status < 500 && status !== 429 ? exitCodes.usage : exitCodes.failed
}

/** By the API's vocabulary; its details are in English. */
const titlesInChinese: Readonly<Record<string, string>> = {
  malformed: '请求格式有误',
  unauthenticated: '网关不认识此令牌',
  forbidden: '无权执行此操作',
  'not-found': '没有此资源',
  conflict: '与当前状态不符',
  guarded: '保护规则不允许',
  stale: '已被他人修改',
  'too-large': '内容过大',
  invalid: '部分字段不可用',
  'match-required': '缺少版本号',
  'too-many-attempts': '错误尝试过多',
  internal: '网关内部出错',
  'not-ready': '网关尚未就绪',
  unavailable: '登记库暂不可用',
}

const nextSteps: Readonly<Record<string, readonly Words[]>> = {
  unauthenticated: [
    {
      en: 'name the file of a token that is good: --token-file FILE or CHIYUAN_TOKEN_FILE; an admin makes one by: chiyuan tokens create',
      zh: '请以 --token-file 或 CHIYUAN_TOKEN_FILE 指定有效令牌的文件；管理员可用 chiyuan tokens create 创建',
    },
  ],
  forbidden: [
    {
      en: 'see what you may do: chiyuan me',
      zh: '查看您的权限：chiyuan me',
    },
  ],
  guarded: [
    {
      en: 'choose otherwise; or, if it must be, give --override, and a reason that says why (only an admin may leave residents with nobody at all)',
      zh: '请另选方案；确有必要时加 --override 并在 --reason 中写明理由（使居民完全无人服务的，仅管理员可执行）',
    },
  ],
  internal: [{ en: 'look into the gateway’s log', zh: '请查看网关日志' }],
}

/** What anything thrown says to a person, and the exit code. `null` for a fault of ours. */
export function asFailure(cause: unknown): CommandFailure | null {
  if (cause instanceof CommandFailure) return cause
  if (cause instanceof UsageError)
    return new CommandFailure(exitCodes.usage, { en: cause.message, zh: cause.message })
  return null
}
