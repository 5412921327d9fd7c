// A node that serves well, badly, or no more than so much, as told over IPC. It starts idle and listens when told to,
// so that a killed node's successor is ready at once. Run by `fault-nodes.ts`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { answerHeaders, codeAnswer } from '../answer.ts'
import type { FromNode, ToNode } from './messages.ts'
import { ServiceQueue } from './service-queue.ts'

const name = process.argv[2] ?? ''
let errorShare = 0
let resetShare = 0
const queue = new ServiceQueue([...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7))

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  // Outside the queue: a node that is full still looks well.
  if (request.url === '/healthz') {
    response.end('ok')
    return
  }
  const draw = Math.random()
  if (request.method === 'POST') echo(request, response)
  else {
    request.resume()
    queue.take(() => answer(request, response, draw))
  }
})

function answer(request: IncomingMessage, response: ServerResponse, draw: number): void {
  if (draw < resetShare) request.socket.resetAndDestroy()
  else if (draw < resetShare + errorShare) reply(response, 500, '{"title":"broken"}')
  else if (request.url === '/v1/codes/unknown') reply(response, 404, `{"issuer":"${name}"}`)
  else reply(response, 200, codeAnswer(name))
}

function echo(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => reply(response, 200, Buffer.concat(chunks).toString()))
}

function reply(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { ...answerHeaders, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

const tell = (message: FromNode): void => void process.send?.(message)

process.on('message', (message: ToNode) => {
  if (message.do === 'listen') {
    // A crowd opens many connections at once; the kernel must not be what turns it away.
    server.listen({ port: message.port, host: '127.0.0.1', backlog: 4096 }, () => tell({ is: 'listening' }))
  } else if (message.do === 'count') tell({ is: 'counted', figures: queue.figures })
  else {
    queue.behave(message)
    errorShare = message.errorShare ?? 0
    resetShare = message.resetShare ?? 0
  }
})
process.on('disconnect', () => process.exit())
tell({ is: 'idle' })
