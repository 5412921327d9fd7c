// Sends bytes as they are and reads what comes back: for requests that no HTTP client would make.
import { connect } from 'node:net'

export interface RawAnswer {
  /** All bytes until the server closed or `until` was seen, as latin1. */
  readonly text: string
  /** The server closed the connection. */
  readonly closed: boolean
}

/** @param until Stop reading once the text contains this; without it, read until close or `withinMs`. */
export function sendRaw(
  port: number,
  bytes: string,
  { until, withinMs = 5000 }: { until?: string; withinMs?: number } = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(bytes, 'latin1'))
    const finish = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, closed })
    }
    const timer = setTimeout(() => finish(false), withinMs)
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (until !== undefined && text.includes(until)) finish(false)
    })
    socket.on('error', () => {})
    socket.on('close', () => finish(true))
  })
}

/** Status of the first answer in `text`, or 0. */
export const statusOf = (text: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)
