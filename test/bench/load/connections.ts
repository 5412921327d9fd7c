// HTTP/1.1 keep-alive over bare sockets, one request at a time on each: Node's own client costs the load's core four
// times as much, which at thousands of requests a second is what would be measured.
import { connect, type Socket } from 'node:net'
import { nodeOf, phoneHeaders } from '../answer.ts'
import { readAnswer } from './answer-reader.ts'

export interface End {
  /** `200`, another status, or what became of the connection. */
  readonly end: string
  readonly node: string | null
  readonly resent: boolean
}

interface Exchange {
  readonly path: string
  readonly ended: (end: End) => void
  readonly timer: NodeJS.Timeout
  resent: boolean
}

/** Above it the load is the one that fails, and says so: the system gives a process no more files without end. */
const mostOpen = 14_000

export class Connections {
  private readonly port: number
  private readonly idle: Connection[] = []
  private readonly running = new Map<Exchange, Connection>()
  private open = 0
  private readonly tail: string

  constructor(port: number) {
    this.port = port
    const headers = Object.entries(phoneHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
    this.tail = ` HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${headers.join('')}\r\n`
  }

  /**
   * One GET as a browser makes it: where a kept connection is cut before a byte of the answer, it is sent once more on
   * a new connection (RFC 9112 section 9.3.1). Some gateways count on that and cut instead of answering 502.
   */
  get(path: string, timeoutMs: number, ended: (end: End) => void): void {
    let connection = this.idle.pop()
    while (connection?.isOver === true) connection = this.idle.pop()
    if (connection === undefined && this.open >= mostOpen) {
      ended({ end: 'the load has no connection left', node: null, resent: false })
      return
    }
    const chosen = connection ?? this.connect()
    const exchange: Exchange = {
      path,
      ended,
      timer: setTimeout(() => this.giveUp(exchange), timeoutMs),
      resent: false,
    }
    chosen.send(exchange, `GET ${path}${this.tail}`)
  }

  close(): void {
    for (const connection of this.idle) connection.destroy()
  }

  private connect(): Connection {
    this.open += 1
    const connection = new Connection(connect({ port: this.port, host: '127.0.0.1', noDelay: true }), {
      begun: (exchange) => this.running.set(exchange, connection),
      answered: (exchange, status, body, keeps) => {
        if (keeps) this.idle.push(connection)
        const node = nodeOf(body)
        this.finish(exchange, status === 200 && node === null ? 'not a node’s answer' : String(status), node)
      },
      failed: (exchange, reason, mayResend) => {
        // Given up meanwhile.
        if (!this.running.has(exchange)) return
        if (mayResend && !exchange.resent) {
          exchange.resent = true
          this.connect().send(exchange, `GET ${exchange.path}${this.tail}`)
        } else this.finish(exchange, reason, null)
      },
      closed: () => (this.open -= 1),
    })
    return connection
  }

  private giveUp(exchange: Exchange): void {
    const connection = this.running.get(exchange)
    this.finish(exchange, 'no answer', null)
    connection?.destroy()
  }

  private finish(exchange: Exchange, end: string, node: string | null): void {
    if (!this.running.delete(exchange)) return
    clearTimeout(exchange.timer)
    exchange.ended({ end, node, resent: exchange.resent })
  }
}

interface Listener {
  begun(exchange: Exchange): void
  answered(exchange: Exchange, status: number, body: string, keeps: boolean): void
  /** @param mayResend No byte of an answer came on a connection that had answered before. */
  failed(exchange: Exchange, reason: string, mayResend: boolean): void
  closed(): void
}

class Connection {
  private readonly socket: Socket
  private readonly listener: Listener
  private current: Exchange | null = null
  private text = ''
  private hasAnswered = false
  private reason = 'ECONNRESET'

  constructor(socket: Socket, listener: Listener) {
    this.socket = socket
    this.listener = listener
    socket.setEncoding('latin1')
    socket.on('data', (part: string) => this.read(part))
    socket.on('error', (error) => {
      this.reason = 'code' in error && typeof error.code === 'string' ? error.code : error.message
    })
    socket.on('close', () => this.closed())
  }

  get isOver(): boolean {
    return this.socket.destroyed || this.socket.readableEnded
  }

  send(exchange: Exchange, request: string): void {
    this.current = exchange
    this.listener.begun(exchange)
    this.socket.write(request, 'latin1')
  }

  destroy(): void {
    this.socket.destroy()
  }

  private read(part: string): void {
    this.text += part
    const answer = readAnswer(this.text, false)
    if (answer === null || this.current === null) return
    const { current } = this
    this.current = null
    this.text = ''
    this.hasAnswered = true
    if (!answer.keeps) this.socket.end()
    this.listener.answered(current, answer.status, answer.body, answer.keeps)
  }

  private closed(): void {
    this.listener.closed()
    const { current, text, hasAnswered } = this
    if (current === null) return
    this.current = null
    const answer = this.reason === 'ECONNRESET' ? readAnswer(text, true) : null
    if (answer === null) this.listener.failed(current, this.reason, hasAnswered && text === '')
    else this.listener.answered(current, answer.status, answer.body, false)
  }
}
