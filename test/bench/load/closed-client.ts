// The load client for where there is no wrk: keep-alive connections, one request at a time on each.
// Run as: node closed-client.ts PORT CONNECTIONS SECONDS
import { connect, type Socket } from 'node:net'
import { pathOf, phoneHeaders } from '../answer.ts'

const [port = 0, connections = 1, seconds = 1] = process.argv.slice(2).map(Number)

const headers = Object.entries(phoneHeaders).map(([name, value]) => `${name}: ${value}\r\n`)
const requests = Array.from({ length: 500 }, (_, i) =>
  Buffer.from(`GET ${pathOf(i)} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${headers.join('')}\r\n`),
)
const startedAt = performance.now()
const endsAt = startedAt + seconds * 1000
let turn = 0
let answered = 0
let errors = 0
let open = connections

function ask(socket: Socket): void {
  turn = (turn + 1) % requests.length
  const next = requests[turn]
  if (performance.now() >= endsAt || next === undefined) socket.end()
  else socket.write(next)
}

function run(): void {
  let text = ''
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => ask(socket))
  socket.setTimeout(5000, () => socket.destroy(new Error('no answer within 5 s')))
  socket.setEncoding('latin1')
  socket.on('data', (part: string) => {
    text += part
    const head = text.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1] ?? 0)
    if (text.length < head + 4 + length) return
    if (text.startsWith('HTTP/1.1 200')) answered += 1
    else errors += 1
    text = ''
    ask(socket)
  })
  socket.on('error', () => (errors += 1))
  socket.on('close', () => {
    if (performance.now() < endsAt - 10 && errors < 1000) {
      run()
      return
    }
    open -= 1
    if (open === 0) report()
  })
}

function report(): void {
  const taken = (performance.now() - startedAt) / 1000
  console.log(`RESULT ${JSON.stringify({ answered, errors, seconds: taken })}`)
}

for (let i = 0; i < connections; i++) run()
