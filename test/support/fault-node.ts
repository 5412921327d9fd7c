// A node as a process of its own that serves well or badly, as told over IPC. Run by fork; see `federation.ts`.
import { createServer, type ServerResponse } from 'node:http'
import { z } from 'zod'

/** What it does with the next requests. Shares are drawn for each request. */
export const behaviour = z.strictObject({
  serviceMs: z.number().min(0).default(2),
  errorShare: z.number().min(0).max(1).default(0),
  resetShare: z.number().min(0).max(1).default(0),
})
export type Behaviour = z.output<typeof behaviour>

const [port = '0', name = 'node'] = process.argv.slice(2)
let now = behaviour.parse({})
process.on('message', (message) => {
  now = behaviour.parse(message)
})
process.on('disconnect', () => process.exit())

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  if (request.url === '/healthz') {
    response.end('ok')
    return
  }
  const { serviceMs, errorShare, resetShare } = now
  const draw = Math.random()
  request.resume()
  setTimeout(() => {
    if (draw < resetShare) request.socket.resetAndDestroy()
    else if (draw < resetShare + errorShare) answer(response, 500, 'broken')
    else answer(response, 200, name)
  }, serviceMs)
})

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : Number(port) })
})
