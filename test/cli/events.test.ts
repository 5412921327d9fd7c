// `chiyuan events --follow`: what happens, as it happens, across a connection that breaks.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventsIn, type ServerSentEvent } from '../../gateway/cli/operators/event-stream.ts'
import { type Child, type CommandLine, commandLine, listening } from '../support/operators-command.ts'

let line: CommandLine
beforeAll(async () => {
  line = await commandLine()
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
})

async function read(...chunks: string[]): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = []
  for await (const event of eventsIn(
    (async function* () {
      yield* chunks
    })(),
  ))
    events.push(event)
  return events
}

describe('the stream', () => {
  const text = ': hello\n\nid: 1-1\nevent: x\ndata: {"a":\ndata: 1}\n\nretry: 5\n\ndata:二\r\n\r\ndata: half'
  const whole = [
    { name: 'x', data: '{"a":\n1}', id: '1-1' },
    { name: 'message', data: '二', id: '1-1' },
  ]
  it('is read wherever it is cut, and half an event is none', async () => {
    expect(await read(text)).toEqual(whole)
    expect(await read(...text)).toEqual(whole)
  })

  it('is given up where a line never ends', async () => {
    await expect(read('x'.repeat(2_000_000))).rejects.toThrow('a line without end')
  })
})

/** All that a child says, as it says it. */
class Listener {
  readonly child: Child
  stdout = ''
  stderr = ''
  private wake = (): void => {}

  constructor(child: Child) {
    this.child = child
    child.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString()
      this.wake()
    })
    child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()))
  }

  /** Resolves once standard output holds `words`. */
  async until(words: string): Promise<void> {
    while (!this.stdout.includes(words)) await new Promise<void>((resolve) => (this.wake = resolve))
  }

  async end(): Promise<void> {
    const closed = once(this.child, 'close')
    this.child.kill('SIGTERM')
    await closed
  }
}

it('goes on after the last event where the connection broke, and tells what was missed', async () => {
  const asked: (string | undefined)[] = []
  const event = (id: string, words: string): string =>
    `id: ${id}\ndata: ${JSON.stringify({ at: 0, severity: 'warn', message: { zh: words, en: words } })}\n\n`
  const server = createServer((request, response: ServerResponse) => {
    const last = request.headers['last-event-id']
    asked.push(typeof last === 'string' ? last : undefined)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    if (asked.length === 1) {
      response.write(event('7-1', 'first \u001B[2J'))
      setImmediate(() => response.destroy())
    } else response.write(`event: gap\ndata: {"missed":3}\n\n${event('7-5', 'second')}`)
  })
  await using gateway = await listening(server)
  const follower = new Listener(line.start({}, 'events', '--follow', '--url', gateway.url))
  await follower.until('second')
  await follower.end()
  expect(follower.stdout).toBe(
    '1970-01-01 00:00:00 +00:00 WARN  first  [2J\n1970-01-01 00:00:00 +00:00 WARN  second\n',
  )
  expect(asked).toEqual([undefined, '7-1'])
  expect(follower.stderr).toMatch(/the stream broke off; asking again[^]*3 events are missing here/)
})

it('shows the last ones, and then each as it happens, of a real gateway', async () => {
  const set = (mode: string) => line.good('mode', 'set', mode, '--reason', 'a test', '--yes')
  await set('emergency')
  const follower = new Listener(line.start({}, 'events', '--follow', '--since', '0-0', '--json'))
  await follower.until('"mode":"emergency"')
  await set('peacetime')
  await follower.until('"mode":"peacetime"')
  await follower.end()
  for (const row of follower.stdout.trimEnd().split('\n')) {
    expect(JSON.parse(row)).toMatchObject({ message: { zh: expect.anything() } })
  }
  expect(await line.good('events')).toMatch(/ WARN +mode is emergency\n/)
  expect(await line.good('events', '--lang', 'zh-CN')).toMatch(/ WARN +已进入战时模式\n/)
  expect(JSON.parse(await line.good('events', '--json')).items).not.toHaveLength(0)
})
