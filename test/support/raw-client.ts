// Sends bytes as they are and reads what comes back: for requests that no HTTP client would make.
import { connect } from 'node:net'

export interface RawAnswer {
  /** All bytes until the server closed or `until` was seen, as latin1. */
  readonly text: string
  /** The server closed the connection. */
  readonly closed: boolean
}

export interface RawOptions {
  /** Stop reading once the text contains this; without it, read until close or `withinMs`. */
  readonly until?: string
  readonly withinMs?: number
  /** Sent once `until` was seen; then `nextUntil` is waited for. */
  readonly next?: string
  readonly nextUntil?: string
  /** Never closes its own side. */
  readonly allowHalfOpen?: boolean
  /** Address to connect to; 127.0.0.1 by default. */
  readonly host?: string
}

export function sendRaw(
  port: number,
  bytes: string,
  { until, withinMs = 5000, next, nextUntil, allowHalfOpen = false, host = '127.0.0.1' }: RawOptions = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = ''
    let awaited = until
    let following = next
    const socket = connect({ port, host, allowHalfOpen }, () => socket.write(bytes, 'latin1'))
    const finish = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, closed })
    }
    const timer = setTimeout(() => finish(false), withinMs)
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (awaited === undefined || !text.includes(awaited)) return
      if (following === undefined) {
        finish(false)
        return
      }
      socket.write(following, 'latin1')
      awaited = nextUntil
      following = undefined
    })
    socket.on('error', () => {})
    socket.on('close', () => finish(true))
  })
}

/** Status of the first answer in `text`, or 0. */
export const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)
