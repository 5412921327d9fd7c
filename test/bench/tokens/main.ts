// What tokens cost a request at the edge: CPU time of reading its head and hiding numbers, off and on. Run: node test/bench/tokens/main.ts
import { createSecretKey, randomBytes } from 'node:crypto'
import { parseConfig } from '../../../config/load.ts'
import { readHead } from '../../../gateway/edge/request-head.ts'
import { type Hide, hider } from '../../../gateway/edge/tokens/hide.ts'
import { syntheticCitizenNumber } from '../../../region-node/tokens/synthetic-number.ts'

const config = parseConfig(
  `
home: { default: "610100" }
tokens: { drill: true }
regions:
  - { code: "610100", name: { zh: 西安, en: Xian }, nodes: [{ id: xian-1, url: "http://127.0.0.1:9101" }] }
`,
  'bench.yaml',
)
const pepper = (epoch: number) => ({ epoch, key: createSecretKey(randomBytes(32)) })
const on = hider(config.tokens, [pepper(1)], Date.now)
const rotating = hider(config.tokens, [pepper(2), pepper(1)], Date.now)

const number = syntheticCitizenNumber(7)
const body = Buffer.from(
  JSON.stringify({
    residentId: number,
    result: 'negative',
    sampledAt: '2022-01-04T01:00:00Z',
    laboratory: 'lab-1',
  }),
)

// As a browser sends them.
const rawHeaders = Object.entries({
  Host: 'code.example',
  Connection: 'keep-alive',
  Accept: '*/*',
  'Accept-Encoding': 'gzip, deflate, br',
  'Accept-Language': 'zh-CN,zh;q=0.9',
  'User-Agent': 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36',
  Referer: 'https://code.example/',
  'Sec-Fetch-Site': 'same-origin',
  'Sec-Fetch-Mode': 'cors',
  Cookie: 'sid=0a1b2c3d4e5f; theme=dark',
  'Content-Type': 'application/json',
  DNT: '1',
}).flat()

/** The part of the stage that tokens change, with what they need: reading the head is in both. */
function stage(hide: Hide | null, path: string, sent: Buffer | null): void {
  const request: unknown = { rawHeaders: rawHeaders.slice(), headers: {}, url: path }
  const head = readHead(rawHeaders)
  if (hide === null) return
  const hidden = hide(asRequest(request), head, path, head.host)
  if (typeof hidden === 'string') throw new Error(hidden)
  if (sent === null || hidden.hideInBody === null) return
  const taken = hidden.hideInBody(sent)
  if (typeof taken === 'string') throw new Error(taken)
}

type Request = Parameters<Hide>[0]
const isRequest = (value: unknown): value is Request => typeof value === 'object' && value !== null
function asRequest(value: unknown): Request {
  if (isRequest(value)) return value
  throw new TypeError('no request')
}

const rounds = 200_000

/** CPU microseconds a call, the least of five runs. */
function cpuUs(run: () => void): number {
  let least = Infinity
  for (let time = 0; time < 5; time += 1) {
    const before = process.cpuUsage()
    for (let i = 0; i < rounds; i += 1) run()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / rounds)
  }
  return least
}

const cases: readonly [string, Hide | null, string, Buffer | null][] = [
  ['off', null, `/v1/codes/${number}`, null],
  ['on, a path with no number', on, '/assets/app.3f9c.js', null],
  ['on, a number in the path', on, `/v1/codes/${number}`, null],
  ['on, in the path, two epochs', rotating, `/v1/codes/${number}`, null],
  ['on, a number in a JSON body', on, '/v1/tests', body],
]
const [first] = cases
if (first === undefined) throw new Error('there are cases')
for (const [, hide, path, sent] of cases) for (let i = 0; i < 20_000; i += 1) stage(hide, path, sent)
const base = cpuUs(() => stage(first[1], first[2], first[3]))
process.stdout.write(`Node ${process.version}\n`)
for (const [name, hide, path, sent] of cases) {
  const us = cpuUs(() => stage(hide, path, sent))
  process.stdout.write(`${name.padEnd(32)} ${us.toFixed(2)} us, ${(us - base).toFixed(2)} more than off\n`)
}
