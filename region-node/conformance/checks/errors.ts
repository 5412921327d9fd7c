// What the node answers to requests that are wrong: a status that a program can go by, and no insides.
import type { Check, Facts } from '../check.ts'
import { fail, pass } from '../check.ts'
import type { Answer, Asked } from '../client.ts'
import { problemSchema, readJson } from '../contract.ts'
import { codePath } from '../issued.ts'

/** @param statuses Any of them is right. */
interface Wrong {
  readonly name: string
  readonly level?: 'should'
  readonly title: Check['title']
  readonly asked: (facts: Facts) => Asked
  readonly statuses: readonly number[]
  readonly todo: Check['title']
  /** What else must hold; empty when it does. */
  readonly also?: (answer: Answer) => string
}

const verification = { name: '/v1/verifications', path: '/v1/verifications', method: 'POST' } as const

/** No resident of any region has it. */
export const unknownResidentId = (home: string): string => `R${home}-conformance-nobody`
/** Of a division that there is not. Synthetic; must not come back. */
export const SYNTHETIC_NUMBER = '99999919900101999X'

const wrongs: readonly Wrong[] = [
  {
    name: 'unknown-resident',
    title: ['查无此人返回 404', '404 for an unknown resident'],
    asked: ({ home }) => ({ name: '/v1/codes/{id}', path: codePath(unknownResidentId(home)) }),
    statuses: [404],
    todo: ['类型须为 …:unknown-resident', 'answer 404 with a type that ends in unknown-resident'],
    also: (answer) => {
      const problem = problemSchema.safeParse(readJson(answer.body)).data
      // No problem at all is for errors.form.
      return problem === undefined || /[:/]unknown-resident$/.test(problem.type) ? '' : 'another type'
    },
  },
  {
    name: 'unknown-number',
    title: ['不明标识不判为有效', 'no verdict on an id that it does not know'],
    asked: () => ({ ...verification, body: { residentId: SYNTHETIC_NUMBER } }),
    statuses: [404, 422],
    todo: ['返回 404 或 422，且不回显标识', 'answer 404 or 422, and do not repeat the id'],
  },
  {
    name: 'unknown-route',
    title: ['未知路径返回 404', '404 for an unknown path'],
    asked: () => ({ name: '/v1/no-such-thing', path: '/v1/no-such-thing' }),
    statuses: [404],
    todo: ['未知路径返回 404', 'answer 404 where there is nothing'],
  },
  {
    name: 'method',
    title: ['方法不符返回 405 并列出 Allow', '405 with Allow for another method'],
    asked: ({ residents: [id] }) => ({ name: '/v1/codes/{id}', path: codePath(id), method: 'DELETE' }),
    statuses: [405],
    todo: ['附 Allow: GET, HEAD（RFC 9110）', 'add Allow: GET, HEAD, RFC 9110 section 15.5.6'],
    also: ({ headers }) => (/\bGET\b/.test(headers['allow'] ?? '') ? '' : 'no GET in Allow'),
  },
  {
    name: 'bad-id',
    title: ['标识格式错误返回 400', '400 for an id that can be none'],
    asked: () => ({ name: '/v1/codes/{id}', path: '/v1/codes/a%20b' }),
    statuses: [400],
    todo: ['先校验路径参数', 'check the path before looking anything up'],
  },
  {
    name: 'malformed-json',
    title: ['JSON 残缺返回 400', '400 for broken JSON'],
    asked: () => ({ ...verification, body: '{"code":' }),
    statuses: [400],
    todo: ['解析失败返回 400', 'answer 400 where the body can not be parsed'],
  },
  {
    name: 'unknown-field',
    title: ['请求多余字段返回 422', '422 for a field that it does not know'],
    asked: () => ({ ...verification, body: { code: 'no-code', colour: 'green' } }),
    statuses: [422],
    todo: ['不要悄悄忽略：客户端会误以为已生效', 'refuse it: a client would believe that it was heeded'],
  },
  {
    name: 'missing-field',
    title: ['请求缺少字段返回 422', '422 for a body without what is needed'],
    asked: () => ({ ...verification, body: {} }),
    statuses: [422],
    todo: ['须给 code 或 residentId 之一', 'one of code and residentId is needed'],
  },
  {
    name: 'media-type',
    title: ['非 JSON 返回 415', '415 for what is not JSON'],
    asked: () => ({ ...verification, body: 'code=no-code', headers: { 'content-type': 'text/plain' } }),
    statuses: [415],
    todo: ['仅接受 application/json', 'take application/json alone'],
  },
  {
    name: 'body-too-large',
    title: ['过大的正文返回 413', '413 for a body of more than 64 KiB'],
    asked: () => ({ ...verification, body: { code: 'A'.repeat(80 * 1024) } }),
    statuses: [413],
    todo: ['限制为 64 KiB，读满即止', 'stop reading at 64 KiB and answer 413'],
  },
  {
    name: 'header-too-large',
    level: 'should',
    title: ['过大的头部返回 4xx', 'a 4xx for a header of 64 KiB'],
    asked: () => ({
      name: '/healthz',
      path: '/healthz',
      headers: { 'x-padding': 'A'.repeat(64 * 1024) },
      byParser: true,
    }),
    statuses: [400, 413, 431],
    todo: ['限制头部大小，返回 431', 'limit headers and answer 431'],
  },
]

export const errorChecks: readonly Check[] = wrongs.map(
  ({ name, level, title, asked, statuses, todo, also }) => ({
    id: `errors.${name}`,
    level: level ?? 'must',
    title,
    judge: async (client, facts) => {
      const answer = await client.ask(asked(facts))
      const right = statuses.includes(answer.status)
      const other = right ? (also?.(answer) ?? '') : ''
      if (right && other === '') return pass
      return fail(statuses.join(' or '), `status ${answer.status}${other === '' ? '' : `, ${other}`}`, todo)
    },
  }),
)
