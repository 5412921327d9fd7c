// Residents who go on asking while a drill is on, and an operator who runs it: what each saw is kept.
import { z } from 'zod'
import type { TestGateway } from './gateway.ts'

export interface Seen {
  readonly resident: number
  readonly status: number
  /** What answered; `` for a problem. */
  readonly by: string
  readonly ms: number
  /** Wall-clock ms at which its answer was in. */
  readonly at: number
}

export interface Residents extends AsyncDisposable {
  readonly seen: readonly Seen[]
  stop(): Promise<void>
}

export interface AskAwayOptions {
  /** So many at a time. */
  readonly atOnce?: number
  readonly pauseMs?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** `count` residents, some at a time, one after the other; every `postEvery`th sends something that can't be repeated. */
export function askAway(
  url: string,
  count: number,
  postEvery = Infinity,
  { atOnce = 6, pauseMs = 5, headers = {} }: AskAwayOptions = {},
): Residents {
  const seen: Seen[] = []
  let next = 0
  const goOn = { on: true }
  const one = async (): Promise<void> => {
    while (goOn.on) {
      const resident = next++ % count
      const isPost = resident % postEvery === 0
      const started = performance.now()
      const response = await fetch(
        `${url}/v1/codes/R${resident}`,
        isPost ? { method: 'POST', body: 'x', headers } : { headers },
      )
      const by = await response.text()
      seen.push({ resident, status: response.status, by, ms: performance.now() - started, at: Date.now() })
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
  const all = Promise.all(Array.from({ length: atOnce }, one))
  const stop = async (): Promise<void> => {
    goOn.on = false
    await all
  }
  return { seen, stop, [Symbol.asyncDispose]: stop }
}

const token = z.object({ token: z.string() })

/** Speaks to the operators' API of a gateway in this process. */
export class DrillOperator {
  private readonly root: string
  readonly accessToken: string

  constructor(adminUrl: string, accessToken: string) {
    this.root = `${adminUrl}/api/v1`
    this.accessToken = accessToken
  }

  static firstOf({ adminUrl, gateway }: TestGateway): DrillOperator {
    return new DrillOperator(adminUrl, gateway.firstToken ?? '')
  }

  /** Another person, with one role. */
  async another(name: string, role: string, scope: '*' | string[] = '*'): Promise<DrillOperator> {
    const made = await this.post('/tokens', { name, roles: [role], scope, reason: 'a test' })
    return new DrillOperator(this.root.replace('/api/v1', ''), token.parse(made.body).token)
  }

  get = (path: string) => this.call('GET', path)
  post = (path: string, body: object = { reason: 'a test' }) => this.call('POST', path, body)
  delete = (path: string) => this.call('DELETE', path)

  private async call(method: string, path: string, body?: object) {
    const response = await fetch(this.root + path, {
      method,
      headers: {
        authorization: `Bearer ${this.accessToken}`,
        'if-match': '*',
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const isJson = (response.headers.get('content-type') ?? '').includes('json')
    const parsed: unknown = isJson && text !== '' ? JSON.parse(text) : null
    return { status: response.status, body: parsed, text }
  }
}
