// Takes a request's body in while it is short enough to be kept for replay, before any node is troubled with it.
import type { PublicRequest } from './http.ts'

export type TakenBody =
  | { readonly kind: 'whole'; readonly body: Buffer }
  /** Longer than what is kept: what was read is put back, and the request stands paused for streaming. */
  | { readonly kind: 'long' }
  | { readonly kind: 'slow' }
  /** The client went away. */
  | { readonly kind: 'left' }

/**
 * @param atMost Bytes kept for replay.
 * @param idleMs Longest pause between two parts of the body.
 */
export function takeBody(request: PublicRequest, atMost: number, idleMs: number): Promise<TakenBody> {
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    let size = 0
    const idle = setTimeout(() => finish({ kind: 'slow' }), idleMs)
    const onData = (part: Buffer): void => {
      idle.refresh()
      parts.push(part)
      size += part.length
      if (size <= atMost) return
      request.pause()
      request.off('data', onData)
      request.unshift(Buffer.concat(parts))
      finish({ kind: 'long' })
    }
    const onEnd = (): void =>
      finish({ kind: 'whole', body: parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts) })
    const onGone = (): void => finish({ kind: 'left' })
    const finish = (taken: TakenBody): void => {
      clearTimeout(idle)
      request.off('data', onData)
      request.off('end', onEnd)
      request.off('error', onGone)
      request.off('close', onGone)
      // A body that breaks after it was given up must not end the process.
      request.on('error', () => {})
      resolve(taken)
    }
    request.on('data', onData)
    request.on('end', onEnd)
    request.on('error', onGone)
    request.on('close', onGone)
  })
}
