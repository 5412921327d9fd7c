// Watches one stream for standstill: a client that stops sending, a node that does not take or answer.
import type { Socket } from 'node:net'
import type { Config } from '../../../config/schema.ts'
import type { PublicRequest } from '../http.ts'

/** A node that has said nothing for so long is taken for silent, ms. An event stream may begin late, so no sooner. */
const silentAfterMs = 1000

export class StreamWatch {
  /** The client stopped sending, or sent more than it may: its own doing, no node's. */
  clientSlow = false
  tooLong = false
  /** The node did not answer in time. */
  timedOut = false
  private readonly connection: Socket
  private readonly request: PublicRequest
  private readonly config: Config
  private timer: NodeJS.Timeout
  private bytesSeen = 0
  private movedAt = performance.now()

  /** @param silent Called once where a request without a body has long had no answer; it goes on waiting. */
  constructor(
    connection: Socket,
    request: PublicRequest,
    config: Config,
    hasBody: boolean,
    silent: () => void,
  ) {
    this.connection = connection
    this.request = request
    this.config = config
    const { attemptTimeoutMs } = config.attempts
    // A request without a body is given one attempt's time; an upload is looked at again and again.
    this.timer = hasBody
      ? setInterval(() => this.look(), Math.min(config.limits.bodyTimeoutMs, 1000) / 2)
      : setTimeout(
          () => {
            this.timer = setTimeout(() => this.giveUp(), Math.max(0, attemptTimeoutMs - silentAfterMs))
            silent()
          },
          Math.min(silentAfterMs, attemptTimeoutMs),
        )
  }

  /** The answer has begun: from here on silence is allowed, as in an event stream. */
  answered(): void {
    this.stop()
  }

  stop(): void {
    clearTimeout(this.timer)
    clearInterval(this.timer)
  }

  private look(): void {
    const now = performance.now()
    const bytes = this.connection.bytesWritten
    if (bytes !== this.bytesSeen) {
      this.bytesSeen = bytes
      this.movedAt = now
    }
    const { limits, attempts } = this.config
    if (bytes > limits.uploadBytes + limits.headerBytes) {
      this.tooLong = true
      this.blameClient()
      return
    }
    const waitsForNode = this.request.complete || this.connection.writableNeedDrain
    const still = now - this.movedAt
    if (waitsForNode && still > attempts.idleTimeoutMs) this.giveUp()
    else if (!waitsForNode && still > limits.bodyTimeoutMs) this.blameClient()
  }

  private blameClient(): void {
    this.clientSlow = true
    this.connection.destroy(new Error('the client stopped sending'))
  }

  private giveUp(): void {
    this.timedOut = true
    this.connection.destroy(new Error('the node did not answer in time'))
  }
}
