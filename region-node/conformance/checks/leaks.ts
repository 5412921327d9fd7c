// What no answer of the whole run may have held. Judged last.
import type { Check, Words } from '../check.ts'
import { fail, pass } from '../check.ts'
import type { FindingKind } from '../observed.ts'

interface Rule {
  readonly kind: FindingKind
  readonly level: Check['level']
  readonly title: Words
  readonly expected: string
  readonly todo: Words
}

const rules: readonly (Rule & { readonly id: Check['id'] })[] = [
  {
    id: 'errors.form',
    kind: 'form',
    level: 'must',
    title: ['每个错误应答均为 RFC 9457 problem', 'every error is a problem of RFC 9457'],
    expected: 'application/problem+json with type (not about:blank), title and status',
    todo: ['统一错误出口，类型保持稳定', 'make errors in one place, with types that stay the same'],
  },
  {
    id: 'leaks.id-number',
    kind: 'id-number',
    level: 'must',
    title: ['应答不含身份证号样式', 'no answer holds what looks like an ID number'],
    expected: 'no 18-digit number with a day of birth',
    todo: ['以令牌代替号码', 'give tokens in the place of numbers'],
  },
  {
    id: 'leaks.resident-id',
    kind: 'resident-id',
    level: 'must',
    title: ['应答不回显所送标识', 'no answer repeats an id that was sent'],
    expected: 'no id, neither in a body nor in a header',
    todo: ['错误信息只写字段名', 'name the field in errors, not its value'],
  },
  {
    id: 'leaks.internals',
    kind: 'internals',
    level: 'must',
    title: ['错误应答不露堆栈、SQL、路径', 'no error shows a stack, SQL or a path'],
    expected: 'nothing of how the node is made',
    todo: ['细节写入日志，不写入应答', 'write such to the log, not to the answer'],
  },
  {
    id: 'leaks.banner',
    kind: 'banner',
    level: 'must',
    title: ['不报服务器版本', 'tells no versions of its software'],
    expected: 'no X-Powered-By, no version in Server',
    todo: ['关闭版本横幅', 'turn the banner off'],
  },
  {
    id: 'leaks.caching',
    kind: 'caching',
    level: 'must',
    title: ['居民数据不入共享缓存', 'no shared cache may keep a resident’s data'],
    expected: 'private or no-store, and neither public nor s-maxage',
    todo: ['加 Cache-Control: private', 'send Cache-Control: private'],
  },
]

export const leakChecks: readonly Check[] = rules.map(({ id, kind, level, title, expected, todo }) => ({
  id,
  level,
  title,
  judge: async ({ findings }) => {
    const found = findings.filter((finding) => finding.kind === kind)
    const [first] = found
    if (first === undefined) return pass
    const more = found.length === 1 ? '' : ` (and ${found.length - 1} more)`
    return fail(expected, `${first.what}, in the answer to ${first.name}${more}`, todo)
  },
}))
