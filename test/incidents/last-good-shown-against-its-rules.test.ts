// A last good answer was shown stale although its node had said `must-revalidate`, to a browser for which it was not
// meant although `Vary` named what differed, and for an hour too long once the machine's clock had been set back.
import { afterEach, describe, expect, it, jest } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream } from '../support/upstream.ts'

/** Has the node answer once with `headers`, then die. Says how what is asked after that ends. */
async function scene(headers: Record<string, string>, changes: Record<string, unknown> = {}) {
  await using started = new AsyncDisposableStack()
  let down = false
  const node = started.use(
    await httpUpstream((_request, response) => {
      if (down) response.destroy()
      else response.writeHead(200, headers).end('green')
    }),
  )
  const edge = started.use(
    await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      classes: { critical: { lastGood: true } },
      breaker: { volumeThreshold: 1000, connectFailures: 1000 },
      ...changes,
    }),
  )
  const ask = (sent: Record<string, string> = {}) => fetch(`${edge.url}/v1/codes/R1`, { headers: sent })
  const parts = started.move()
  return {
    ask,
    die: () => {
      down = true
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  }
}

afterEach(() => void jest.restoreAllMocks())

it.each([
  { told: 'must-revalidate', status: 503 },
  { told: 'Max-Age=0, Must-Revalidate', status: 503 },
  { told: 'proxy-revalidate', status: 503 },
  { told: 's-maxage=0', status: 503 },
  { told: 'stale-if-error=0', status: 503 },
  { told: 'max-age=60, must-revalidate', status: 200 },
  { told: 'private, no-cache, stale-if-error=300', status: 200 },
])('$told: $status when nobody can be asked', async ({ told, status }) => {
  await using gateway = await scene({ 'cache-control': told })
  await gateway.ask()
  gateway.die()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect((await gateway.ask()).status).toBe(status)
})

describe('an answer that depends on', () => {
  it.each(['User-Agent', 'Save-Data', 'Referer', 'Sec-CH-UA-Mobile', 'If-None-Match'])(
    '%s is only for who sends the same',
    async (name) => {
      await using gateway = await scene({ vary: `accept-encoding, ${name}` })
      await gateway.ask({ [name]: 'one' })
      gateway.die()
      expect((await gateway.ask({ [name]: 'two' })).status).toBe(503)
      expect((await gateway.ask({ [name]: 'one' })).status).toBe(200)
    },
  )

  it.each(['*', 'X-Forwarded-For', 'traceparent'])('%s is for nobody', async (name) => {
    await using gateway = await scene({ vary: name })
    await gateway.ask()
    gateway.die()
    expect((await gateway.ask()).status).toBe(503)
  })
})

it('a clock set back makes nothing young, and one set forward nothing old', async () => {
  await using gateway = await scene({}, { lastGood: { maxAgeSeconds: 1 } })
  await gateway.ask()
  gateway.die()
  const wall = Date.now.bind(Date)
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => wall() + 3_600_000)
  const young = await gateway.ask()
  expect([young.status, young.headers.get('age')]).toEqual([200, '0'])
  clock.mockImplementation(() => wall() - 3_600_000)
  await new Promise((resolve) => setTimeout(resolve, 1100))
  expect((await gateway.ask()).status).toBe(503)
})
