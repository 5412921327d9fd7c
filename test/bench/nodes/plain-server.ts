// Node's own HTTP server with a node's answer and nothing else: as `bare`, and as upstream where there is no nginx.
// Run as: node plain-server.ts PORT=NAME…
import { createServer } from 'node:http'
import { answerHeaders, codeAnswer } from '../answer.ts'

for (const argument of process.argv.slice(2)) {
  const [port, name = ''] = argument.split('=')
  const body = Buffer.from(codeAnswer(name))
  const headers = { ...answerHeaders, 'content-length': body.length }
  createServer({ keepAliveTimeout: 65_000 }, (_request, response) => {
    response.writeHead(200, headers)
    response.end(body)
  }).listen(Number(port), '127.0.0.1')
}
