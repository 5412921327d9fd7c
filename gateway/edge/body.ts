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
    const held = new HeldBody(atMost)
    const idle = setTimeout(() => finish({ kind: 'slow' }), idleMs)
    const onData = (part: Buffer): void => {
      idle.refresh()
      held.add(part)
      if (held.size <= atMost) return
      request.pause()
      request.off('data', onData)
      request.unshift(held.take())
      finish({ kind: 'long' })
    }
    const onEnd = (): void => finish({ kind: 'whole', body: held.take() })
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

/**
 * The parts of a body in one buffer that grows. Kept each by itself, parts of one byte would cost hundreds of times
 * what they say, and each would keep alive the packet that it came in.
 */
class HeldBody {
  size = 0
  private first: Buffer | null = null
  private room: Buffer | null = null
  private readonly atMost: number

  constructor(atMost: number) {
    this.atMost = atMost
  }

  add(part: Buffer): void {
    // Most bodies come in one part, which needs no copy.
    if (this.size === 0) this.first = part
    else this.copyIn(part)
    this.size += part.length
  }

  take(): Buffer {
    return this.room?.subarray(0, this.size) ?? this.first ?? Buffer.alloc(0)
  }

  private copyIn(part: Buffer): void {
    const needed = this.size + part.length
    if (this.room === null || this.room.length < needed) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(this.atMost, 2 * needed)))
      this.take().copy(grown)
      this.room = grown
      this.first = null
    }
    part.copy(this.room, this.size)
  }
}
