// Times as people read them: the clock, a date, how long ago, how long still.
import type { Language } from './language.ts'
import { tagOf } from './language.ts'

const formats = (language: Language) => {
  const tag = tagOf(language)
  return {
    clock: new Intl.DateTimeFormat(tag, { timeStyle: 'medium', hourCycle: 'h23' }),
    day: new Intl.DateTimeFormat(tag, { dateStyle: 'full' }),
    moment: new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' }),
  }
}
// Making a format is slow, and the clock ticks.
const made = { zh: formats('zh'), en: formats('en') }

export const clockText = (ms: number, language: Language): string => made[language].clock.format(ms)
export const dayText = (ms: number, language: Language): string => made[language].day.format(ms)
export const momentText = (ms: number, language: Language): string => made[language].moment.format(ms)

/** Such as `1:05`, or `23:59:59`. */
export function leftText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const tail = `${two(minutes)}:${two(seconds % 60)}`
  return hours > 0 ? `${hours}:${tail}` : tail
}

/** In the largest unit that fits. */
export function agoText(seconds: number, language: Language): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 60) return language === 'zh' ? `${whole} 秒前` : `${whole} s ago`
  if (whole < 3_600)
    return language === 'zh' ? `${Math.floor(whole / 60)} 分钟前` : `${Math.floor(whole / 60)} min ago`
  const hours = Math.floor(whole / 3_600)
  // Lists are too old after two days; what is older was printed.
  if (hours > 48)
    return language === 'zh' ? `${Math.floor(hours / 24)} 天前` : `${Math.floor(hours / 24)} days ago`
  return language === 'zh' ? `${hours} 小时前` : `${hours} h ago`
}
