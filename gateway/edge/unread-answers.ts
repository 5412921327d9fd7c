// Ends HTTP/1.1 connections whose clients have stopped reading: what waits for them in memory is a resident's room.
import type { Socket } from 'node:net'

interface Progress {
  readonly written: number
  readonly since: number
}

/**
 * Looks at every open connection four times in `idleMs`. Node's own timeout of a socket would count time between
 * requests as well, and an answer in the kernel's buffers as read.
 */
export class UnreadAnswers implements Disposable {
  private readonly sockets: ReadonlySet<Socket>
  private readonly idleMs: number
  private readonly timer: NodeJS.Timeout
  private stuck = new Map<Socket, Progress>()

  /** @param idleMs How long a client may take nothing of what is ready for it. */
  constructor(sockets: ReadonlySet<Socket>, idleMs: number) {
    this.sockets = sockets
    this.idleMs = idleMs
    this.timer = setInterval(() => this.look(performance.now()), Math.max(25, idleMs / 4)).unref()
  }

  [Symbol.dispose](): void {
    clearInterval(this.timer)
  }

  private look(now: number): void {
    const stuck = new Map<Socket, Progress>()
    for (const socket of this.sockets) {
      if (socket.writableLength === 0) continue
      const written = socket.bytesWritten - socket.writableLength
      const before = this.stuck.get(socket)
      if (before === undefined || before.written !== written) stuck.set(socket, { written, since: now })
      else if (now - before.since >= this.idleMs) socket.destroy()
      else stuck.set(socket, before)
    }
    this.stuck = stuck
  }
}
