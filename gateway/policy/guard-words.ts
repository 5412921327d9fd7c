// What speaks against a change, in words for whoever decides.
import type { Guarded, GuardName } from './guards.ts'
import type { Words } from './words.ts'

const percent = (share: number): string => `${Math.round(share * 100)} %`
const rps = (rate: number): string => `${Math.round(rate * 10) / 10}`
const hours = (ms: number): string => `${Math.round(ms / 360_000) / 10}`

const tellers: Readonly<Record<GuardName, (guarded: Guarded) => Words>> = {
  'nobody-left': ({ home }) => ({
    zh: `${home}：没有任何层级可以服务`,
    en: `${home}: no level would be left to serve it`,
  }),
  'levels-left': ({ home, found, bound }) => ({
    zh: `${home}：只剩 ${found} 个可用层级，应至少 ${bound} 个`,
    en: `${home}: ${found} of the ${bound} levels that it should have at the least would serve`,
  }),
  sheds: ({ home, found }) => ({
    zh: `${home}：每秒将有 ${rps(found)} 个请求被拒绝`,
    en: `${home}: ${rps(found)} requests a second would be turned away`,
  }),
  'room-left': ({ found, bound }) => ({
    zh: `总余量只剩 ${percent(found)}，应至少 ${percent(bound)}`,
    en: `${percent(found)} of all capacity would stay free, where ${percent(bound)} should`,
  }),
  'donor-full': ({ region, found, bound }) => ({
    zh: `支援方 ${region} 将用到 ${percent(found)}，超过 ${percent(bound)}`,
    en: `donor ${region} would be used to ${percent(found)}, above ${percent(bound)}`,
  }),
  emergency: () => ({ zh: '战时模式生效中', en: 'emergency mode would be in force' }),
  expiring: ({ region, found }) => ({
    zh: `支援方 ${region} 的入网将在 ${hours(found)} 小时后到期`,
    en: `the enrolment of donor ${region} ends in ${hours(found)} h`,
  }),
  'unknown-capacity': ({ nodes, found }) => ({
    zh: `${nodes.join('、')} 的容量未知，预测中每秒 ${rps(found)} 个请求由其承担`,
    en: `nobody knows how much ${nodes.join(', ')} can take, and ${rps(found)} requests a second would go there`,
  }),
}

export const wordsOf = (guarded: Guarded): Words => tellers[guarded.guard](guarded)
