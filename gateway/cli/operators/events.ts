// `chiyuan events`: what happens in the federation, as it happens.
import { setTimeout as wait } from 'node:timers/promises'
import type { Command } from 'commander'
import { z } from 'zod'
import { oneLine } from '../table.ts'
import { type CommonFlags, type Desk, operatorsCommand, withCommonOptions, withGateway } from './command.ts'
import { type ServerSentEvent, eventsIn } from './event-stream.ts'
import { CommandFailure, exitCodes } from './failure.ts'
import { localTime, show, type Tone, toned } from './output.ts'

const eventAnswer = z.object({
  at: z.number(),
  severity: z.string(),
  message: z.object({ zh: z.string(), en: z.string() }),
})
const gapAnswer = z.object({ missed: z.number().nullable() })

interface Flags extends CommonFlags {
  readonly follow?: true
  readonly since?: string
}

/** A gateway that restarts is back within seconds; asked no more often than this, ms. */
const againAfterMs = { first: 500, atMost: 10_000 }

export function eventsCommand(): Command {
  const examples = `  chiyuan events                              # the last ones 最近事件
  chiyuan events --follow
  chiyuan events --follow --json | jq -r .message.zh`
  const command = operatorsCommand(
    'events',
    'what has just happened in the federation, and what happens 事件',
    examples,
  )
    .option('--follow', 'from now on, until Ctrl-C 持续显示，按 Ctrl-C 结束')
    .option('--since <id>', 'with --follow: from the event after this one 从此事件之后')
  return withCommonOptions(command).action((flags: Flags) =>
    withGateway(flags, (desk) => (flags.follow === true ? follow(desk, flags.since) : recent(desk))),
  )
}

async function recent(desk: Desk): Promise<void> {
  const answer = await desk.client.get('/events/recent', z.object({ items: z.array(eventAnswer) }))
  show(desk, answer, () => answer.value.items.map((event) => eventText(desk, event)).join(''))
}

/** Goes on after the last event where the connection breaks; the gateway says what was missed. */
async function follow(desk: Desk, since: string | undefined): Promise<void> {
  let last = since ?? ''
  let pauseMs = againAfterMs.first
  let hasFollowed = false
  for (;;) {
    try {
      const headers = last === '' ? {} : { 'last-event-id': last }
      const stream = await desk.client.stream('/events', headers)
      hasFollowed = true
      for await (const event of eventsIn(stream.setEncoding('utf8'))) {
        pauseMs = againAfterMs.first
        if (event.id !== '') last = event.id
        tell(desk, event)
      }
      lost(desk, '')
    } catch (cause) {
      // Refused for good, or never there: no reason to go on asking.
      const failed = cause instanceof CommandFailure && cause.exitCode !== exitCodes.failed
      if (failed || !hasFollowed) throw cause
      lost(desk, cause instanceof Error ? cause.message : String(cause))
    }
    await wait(pauseMs)
    pauseMs = Math.min(pauseMs * 2, againAfterMs.atMost)
  }
}

function lost(desk: Desk, why: string): void {
  const words = desk.say({ en: 'the stream broke off; asking again', zh: '事件流中断，正在重新连接' })
  process.stderr.write(`chiyuan: ${words}${why === '' ? '' : ` (${oneLine(why)})`}\n`)
}

const tones: Readonly<Record<string, Tone>> = { info: 'dim', warn: 'careful', error: 'bad' }

function tell(desk: Desk, { name, data }: ServerSentEvent): void {
  if (name === 'gap') return tellGap(desk, data)
  if (desk.json) return void process.stdout.write(`${data}\n`)
  const parsed = eventAnswer.safeParse(jsonOf(data))
  if (parsed.success) process.stdout.write(eventText(desk, parsed.data))
}

function eventText(desk: Desk, { at, severity, message }: z.output<typeof eventAnswer>): string {
  const level = toned(tones[severity] ?? 'dim', severity.toUpperCase().padEnd(5))
  return `${localTime(new Date(at).toISOString())} ${level} ${oneLine(desk.say(message))}\n`
}

function tellGap(desk: Desk, data: string): void {
  const missed = gapAnswer.safeParse(jsonOf(data)).data?.missed ?? null
  const words =
    missed === null
      ? { en: 'events are missing here: the gateway was started anew', zh: '此处有事件缺失：网关曾重新启动' }
      : {
          en: `${missed} events are missing here: read too slowly`,
          zh: `此处缺失 ${missed} 个事件：读取过慢`,
        }
  process.stderr.write(`chiyuan: ${desk.say(words)}\n`)
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
