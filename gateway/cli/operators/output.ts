// How answers are shown to people: times on their own clock, colour beside words and never instead of them.
import { styleText } from 'node:util'
import type { Answer } from './client.ts'
import type { Desk } from './command.ts'

/** The API's own JSON for a program, `forPeople` for a person. */
export function show(desk: Desk, answer: Pick<Answer<unknown>, 'text'>, forPeople: () => string): void {
  process.stdout.write(desk.json ? `${answer.text}\n` : forPeople())
}

export type Tone = 'good' | 'bad' | 'careful' | 'dim'
const styles = { good: 'green', bad: 'red', careful: 'yellow', dim: 'dim' } as const

/** Only on a terminal, and not where NO_COLOR asks for none. The text must say it all by itself. */
export const toned = (tone: Tone, text: string, stream: NodeJS.WriteStream = process.stdout): string =>
  stream.isTTY ? styleText(styles[tone], text, { stream }) : text

/** `2026-01-05 17:00:00 +08:00`, on this machine's clock. @param time RFC 3339. */
export function localTime(time: string): string {
  const date = new Date(time)
  const pad = (value: number): string => String(Math.trunc(Math.abs(value))).padStart(2, '0')
  const offset = -date.getTimezoneOffset()
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':')
  return `${day} ${clock} ${offset < 0 ? '-' : '+'}${pad(offset / 60)}:${pad(offset % 60)}`
}

/** `9m 58s`, `2h 5m`, `3d 4h`: the two largest units. @param seconds 0 or more. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'm'],
    [1, 's'],
  ] as const
  const first = units.findIndex(([size]) => whole >= size)
  if (first === -1) return '0s'
  let rest = whole
  return units
    .slice(first, first + 2)
    .map(([size, name]) => {
      const count = Math.floor(rest / size)
      rest %= size
      return count === 0 ? '' : `${count}${name}`
    })
    .filter((part) => part !== '')
    .join(' ')
}

/** Until a time: `9m 58s`. */
export const left = (time: string): string => span((Date.parse(time) - Date.now()) / 1000)
