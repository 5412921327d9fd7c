// An open-loop load: requests leave at their appointed times whatever the answers do, and latency counts from then.
import { Agent, request } from 'node:http'

export interface Sample {
  /** Intended send time, ms from the start of the load. */
  readonly at: number
  /** From the intended send time to the last byte, ms. */
  readonly latencyMs: number
  /** 0 where there was no whole answer. */
  readonly status: number
  readonly body: string
}

export interface Load {
  /** Samples so far, by completion. */
  readonly samples: readonly Sample[]
  /** Resolves once `count` samples fulfil `wanted`; rejects when the load ends before. */
  until(wanted: (sample: Sample) => boolean, count?: number): Promise<void>
  /** Stops sending and resolves with all samples when the last has ended. */
  stop(): Promise<readonly Sample[]>
}

export interface LoadOptions {
  readonly ratePerSecond: number
  /** Ends by itself after so many requests. */
  readonly atMost?: number
  readonly method?: string
  readonly path?: (i: number) => string
}

export function startLoad(url: string, options: LoadOptions): Load {
  const { ratePerSecond, atMost = 20_000, method = 'GET' } = options
  const path = options.path ?? ((i) => `/v1/codes/R610100-${String(i % 500).padStart(6, '0')}`)
  const agent = new Agent({ keepAlive: true, maxSockets: 512 })
  const { hostname, port } = new URL(url)
  const samples: Sample[] = []
  const waiting = new Set<() => void>()
  const startedAt = performance.now()
  let sent = 0
  let ended = false
  let pending = 0
  let allDone = (): void => {}

  const record = (sample: Sample): void => {
    samples.push(sample)
    pending -= 1
    for (const look of waiting) look()
    if (ended && pending === 0) allDone()
  }
  const sendOne = (i: number): void => {
    const at = (i * 1000) / ratePerSecond
    pending += 1
    let body = ''
    const finish = (status: number): void =>
      record({ at, latencyMs: performance.now() - startedAt - at, status, body })
    const outgoing = request({ hostname, port, path: path(i), method, agent }, (answer) => {
      answer.setEncoding('utf8')
      answer.on('data', (text: string) => (body += text))
      answer.on('end', () => finish(answer.statusCode ?? 0))
      answer.on('error', () => finish(0))
    })
    outgoing.on('error', () => finish(0))
    outgoing.end()
  }
  const timer = setInterval(() => {
    const due = Math.min(atMost, Math.floor(((performance.now() - startedAt) * ratePerSecond) / 1000))
    while (sent < due) sendOne(sent++)
    if (sent >= atMost) clearInterval(timer)
  }, 2)

  return {
    samples,
    until(wanted, count = 1) {
      return new Promise((resolve, reject) => {
        let seen = 0
        let looked = 0
        const look = (): void => {
          for (; looked < samples.length; looked++) {
            const sample = samples[looked]
            if (sample !== undefined && wanted(sample)) seen += 1
          }
          if (seen >= count) {
            waiting.delete(look)
            resolve()
          } else if (ended && pending === 0) {
            waiting.delete(look)
            reject(new Error(`the load ended with ${seen} of ${count} wanted samples`))
          }
        }
        waiting.add(look)
        look()
      })
    },
    async stop() {
      clearInterval(timer)
      ended = true
      if (pending > 0) await new Promise<void>((resolve) => (allDone = resolve))
      agent.destroy()
      return samples
    },
  }
}

export const failed = (samples: readonly Sample[]): Sample[] => samples.filter(({ status }) => status !== 200)

/** @param q 0 to 1. */
export function quantile(samples: readonly Sample[], q: number): number {
  const sorted = samples.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
}
