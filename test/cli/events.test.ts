// `chiyuan events --follow`: what happens, as it happens, across a connection that breaks.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventsIn, type ServerSentEvent } from '../../gateway/cli/operators/event-stream.ts'
import { type Child, type CommandLine, commandLine, listening, toEnd } from '../support/operators-command.ts'

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

/** Resolves with all of standard output once it holds `words`. */
async function until(child: Child, words: string): Promise<string> {
  let shown = ''
  while (!shown.includes(words)) {
    const [chunk] = await once(child.stdout, 'data')
    shown += String(chunk)
  }
  return shown
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
  const child = line.start({}, 'events', '--follow', '--url', gateway.url)
  const ended = toEnd(child)
  const shown = await until(child, 'second')
  child.kill('SIGTERM')
  server.closeAllConnections()
  expect(shown).toBe('1970-01-01 00:00:00 +00:00 WARN  first  [2J\n1970-01-01 00:00:00 +00:00 WARN  second\n')
  expect(asked).toEqual([undefined, '7-1'])
  expect((await ended).stderr).toMatch(/the stream broke off; asking again[^]*3 events are missing here/)
})

it('shows the last ones, and then each as it happens, of a real gateway', async () => {
  const follower = line.start({}, 'events', '--follow', '--json')
  const ended = toEnd(follower)
  const since = line.start({}, 'events', '--follow', '--since', '0-0')
  const sinceEnded = toEnd(since)
  // It follows once it has told what there was.
  await until(since, 'xian')
  await line.good('mode', 'set', 'emergency', '--reason', 'a test', '--yes')
  const told = await until(follower, '"kind":"mode"')
  for (const row of told.trimEnd().split('\n'))
    expect(JSON.parse(row)).toMatchObject({ message: { zh: expect.anything() } })
  follower.kill('SIGTERM')
  since.kill('SIGTERM')
  await Promise.all([ended, sinceEnded])
  expect(await line.good('events')).toMatch(/ INFO {2}.*emergency/)
  expect(await line.good('events', '--lang', 'zh-CN')).toMatch(/ INFO {2}.*战时/)
  expect(JSON.parse(await line.good('events', '--json')).items).not.toHaveLength(0)
  await line.good('mode', 'set', 'file', '--reason', 'over', '--yes')
})
