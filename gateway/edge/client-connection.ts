// One HTTP/1.1 connection of a client: which answers it is owed, and that after a refusal nothing on it is a request.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** How long a client that still sends is listened to after our last word, so that it gets to read it. */
const lingerMs = 1000
/** Requests read ahead on one connection from which on no more is read. One packet may still hold some hundreds. */
const behindAtMost = 16

export class ClientConnection {
  /** Refused: whatever else comes over it is thrown away. */
  private refused = false
  private last: ServerResponse | null = null
  /** Answers before `last` that were not out when it was begun; pipelining is rare. */
  private earlier: ServerResponse[] = []
  /** Requests read before the answers ahead of them were out. One at a time is served, as everybody else does it. */
  private readonly behind: { readonly response: ServerResponse; readonly serve: () => void }[] = []
  private serving: ServerResponse | null = null
  private readonly socket: Socket

  constructor(socket: Socket) {
    this.socket = socket
    const destroySoon = socket.destroySoon.bind(socket)
    socket.destroySoon = () => {
      if (this.last === null || this.last.req.complete) destroySoon()
      else this.linger()
    }
  }

  /**
   * Takes note of a request, and serves it when those before it are answered. Never where one of them was the
   * connection's last.
   */
  take(response: ServerResponse, serve: () => void): void {
    const { last } = this
    if (this.refused || (last !== null && !last.shouldKeepAlive)) return
    if (last !== null && !last.writableFinished) this.earlier.push(last)
    this.last = response
    const isFree = this.serving === null || this.serving.writableFinished
    // An answer that is out, but not yet closed, has its turn to give to those who wait already.
    if (isFree && this.behind.length === 0) this.serve(response, serve)
    else this.putBehind(response, serve)
  }

  private serve(response: ServerResponse, serve: () => void): void {
    this.serving = response
    serve()
  }

  private putBehind(response: ServerResponse, serve: () => void): void {
    if (this.behind.length === 0) this.serving?.once('close', () => this.serveNext())
    this.behind.push({ response, serve })
    if (this.behind.length >= behindAtMost) this.socket.pause()
  }

  private serveNext(): void {
    const next = this.behind.shift()
    // After a last answer nothing behind it is a request.
    if (next === undefined || this.serving?.shouldKeepAlive === false || this.socket.destroyed) return
    if (this.behind.length > 0) next.response.once('close', () => this.serveNext())
    if (this.behind.length < behindAtMost && this.socket.isPaused()) this.socket.resume()
    this.serve(next.response, next.serve)
  }

  /** Runs `task` when every answer begun has gone out, since nothing may be written into them; never after the last. */
  whenQuiet(task: () => void): void {
    if (this.refused || this.last?.shouldKeepAlive === false) return
    this.whenOut(this.owed(), () => {
      if (this.socket.writable) task()
    })
  }

  /** Ends the connection with `bytes` in place of an answer to what can't be read. Returns false if it had ended. */
  refuse(bytes: string): boolean {
    if (this.refused || this.lastIsSaid()) return false
    this.refused = true
    const owed = this.owed()
    const broken = owed.find((answer) => !answer.req.complete)
    const whole = owed.filter((answer) => answer !== broken)
    this.whenOut(whole, () => {
      if (broken?.headersSent === true || !this.socket.writable) this.socket.destroy()
      else {
        this.socket.write(bytes)
        this.linger()
      }
    })
    return true
  }

  /** The answer that ends the connection is on its way; what comes behind its request is nobody's concern. */
  private lastIsSaid(): boolean {
    const { last } = this
    return last !== null && !last.shouldKeepAlive && (last.req.complete || last.writableEnded)
  }

  private owed(): ServerResponse[] {
    const begun = this.last === null ? [] : [...this.earlier, this.last]
    this.earlier = []
    return begun.filter((answer) => !answer.writableFinished && !answer.destroyed)
  }

  private whenOut(answers: readonly ServerResponse[], task: () => void): void {
    let waiting = answers.length
    if (waiting === 0) {
      task()
      return
    }
    for (const answer of answers) {
      answer.once('close', () => {
        waiting -= 1
        if (waiting === 0) task()
      })
    }
  }

  /** To close with bytes unread would reset the connection, and our answer with it (RFC 9112 section 9.6). */
  private linger(): void {
    const { socket } = this
    if (socket.destroyed) return
    socket.end()
    this.last?.req.resume()
    socket.resume()
    const timer = setTimeout(() => socket.destroy(), lingerMs)
    socket.once('end', () => socket.destroy())
    socket.once('close', () => clearTimeout(timer))
  }
}
