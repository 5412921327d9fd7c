// A node that serves well or badly, as told over IPC. It starts idle and listens when told to, so that a killed
// node's successor is ready at once. Run by `fault-nodes.ts`.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { answerHeaders, codeAnswer } from '../answer.ts'
import type { ToNode } from './messages.ts'

const name = process.argv[2] ?? ''
const usualMs = 5
let serviceMs = usualMs
let errorShare = 0
let resetShare = 0
let served = 0

const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
  if (request.url === '/healthz') {
    response.end('ok')
    return
  }
  served += 1
  const draw = Math.random()
  if (request.method === 'POST') echo(request, response)
  else {
    request.resume()
    setTimeout(() => answer(request, response, draw), serviceMs)
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

process.on('message', (message: ToNode) => {
  if (message.do === 'listen') {
    server.listen(message.port, '127.0.0.1', () => process.send?.({ is: 'listening', served }))
  } else if (message.do === 'count') process.send?.({ is: 'counted', served })
  else {
    serviceMs = message.serviceMs ?? usualMs
    errorShare = message.errorShare ?? 0
    resetShare = message.resetShare ?? 0
  }
})
process.on('disconnect', () => process.exit())
process.send?.({ is: 'idle', served })
