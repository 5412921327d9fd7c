// One bounded GET to a node that is verified: it may be anything behind that address.
import { faultInWords } from '../node-tls/fault.ts'
import type { AskNode } from '../health/ask-node.ts'
import type { CodeNode } from '../../model/region.ts'
import type { Text } from '../../model/verification.ts'

/** Why a check failed, in words. */
export class CheckFault extends Error {
  override readonly name = 'CheckFault'
  readonly text: Text
  constructor(text: Text) {
    super(text.en)
    this.text = text
  }
}

export interface Answer {
  readonly status: number
  readonly date: string | undefined
  readonly body: string
  /** Wall-clock milliseconds between which the head of the answer was made. */
  readonly sentAt: number
  readonly headAt: number
}

export interface GetBounds {
  readonly timeoutMs: number
  readonly mostBytes: number
  readonly signal: AbortSignal
}

/** Follows no redirect. @throws {CheckFault} for no answer in time, or one that is too long. */
export function get(
  ask: AskNode,
  node: CodeNode,
  path: string,
  { timeoutMs, mostBytes, signal }: GetBounds,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sentAt = Date.now()
    const request = ask(node, path, signal, timeoutMs)
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      settle()
      request.destroy()
    }
    const fail = (zh: string, en: string): void => end(() => reject(new CheckFault({ zh, en })))
    const timer = setTimeout(
      () => fail(`${timeoutMs} 毫秒内没有答复`, `no answer within ${timeoutMs} ms`),
      timeoutMs,
    )
    const broken = (cause: unknown): void => {
      const why = faultInWords(cause, node.origin.startsWith('https:'))
      fail(`请求失败：${why}`, `the request failed: ${why}`)
    }
    request.on('error', broken)
    request.on('response', (response) => {
      const headAt = Date.now()
      const parts: Buffer[] = []
      let size = 0
      response.on('error', broken)
      response.on('data', (part: Buffer) => {
        size += part.length
        parts.push(part)
        if (size > mostBytes)
          fail(`答复超过 ${mostBytes} 字节`, `its answer is longer than ${mostBytes} bytes`)
      })
      response.on('end', () => {
        const body = Buffer.concat(parts).toString('utf8')
        const status = response.statusCode ?? 0
        end(() => resolve({ status, date: response.headers.date, body, sentAt, headAt }))
      })
    })
    request.end()
  })
}

/** @throws {CheckFault} unless it is a 200 with JSON. */
export function jsonOf({ status, body }: Answer): unknown {
  if (status >= 300 && status < 400) {
    throw new CheckFault({
      zh: `答复 ${status}：重定向不予跟随`,
      en: `it answered ${status}: a redirect is not followed`,
    })
  }
  if (status !== 200) throw new CheckFault({ zh: `答复 ${status}`, en: `it answered ${status}` })
  try {
    const value: unknown = JSON.parse(body)
    return value
  } catch {
    throw new CheckFault({ zh: '答复不是 JSON', en: 'its answer is no JSON' })
  }
}
