// What guards say, in words. Their names are the API's; one that this release does not know is told by its name.
import { z } from 'zod'
import { oneLine } from '../table.ts'
import type { Words } from './language.ts'
import { span } from './output.ts'

export const guardSchema = z.object({
  guard: z.string(),
  severity: z.string(),
  isHard: z.boolean(),
  home: z.string().nullable(),
  region: z.string().nullable(),
  nodes: z.array(z.string()),
  found: z.number(),
  bound: z.number(),
})
export type Guard = z.output<typeof guardSchema>

export function guardText(guard: Guard): Words {
  const told = words[guard.guard]?.(guard) ?? { en: '', zh: '' }
  const where = oneLine(guard.home ?? guard.region ?? '')
  const name = where === '' ? guard.guard : `${guard.guard} (${where})`
  return { en: `${name}: ${told.en}`, zh: `${name}：${told.zh}` }
}

const percent = (share: number): string => `${Math.round(share * 100)} %`
const rps = (rate: number): string => (rate >= 10 ? String(Math.round(rate)) : rate.toFixed(1))

const words: Readonly<Record<string, (guard: Guard) => Words>> = {
  'nobody-left': () => ({ en: 'no level is left that serves its residents', zh: '没有任何一级可服务其居民' }),
  'levels-left': ({ found, bound }) => ({
    en: `${found} level left that serves its residents; ${bound} should be`,
    zh: `仅剩 ${found} 级可服务其居民，应有 ${bound} 级`,
  }),
  sheds: ({ found }) => ({
    en: `${rps(found)} requests a second are turned away`,
    zh: `每秒拒绝 ${rps(found)} 个请求`,
  }),
  'room-left': ({ found, bound }) => ({
    en: `${percent(found)} of all capacity is free; ${percent(bound)} should be`,
    zh: `总余量 ${percent(found)}，应不少于 ${percent(bound)}`,
  }),
  'donor-full': ({ found, bound }) => ({
    en: `a donor at ${percent(found)} of what it may lend or can take; above ${percent(bound)} it is told`,
    zh: `支援方占用 ${percent(found)}，超过 ${percent(bound)}`,
  }),
  emergency: () => ({ en: 'the federation is in emergency mode', zh: '当前处于战时模式' }),
  expiring: ({ found }) => ({
    en: `its enrolment ends in ${span(found / 1000)}`,
    zh: `支援协议将在 ${span(found / 1000)} 后到期`,
  }),
  'unknown-capacity': ({ nodes, found }) => ({
    en: `nobody knows how much ${nodes.length} nodes can take, which would get ${rps(found)} requests a second; the forecast is no better`,
    zh: `${nodes.length} 个节点容量未知，将承接每秒 ${rps(found)} 个请求；预估以此为限`,
  }),
}
