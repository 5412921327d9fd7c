// Which language a person reads, and how what is said to them is written down: both beside each other.
import { UsageError } from '../../model/errors.ts'

export const languages = ['en', 'zh-CN'] as const
export type Language = (typeof languages)[number]

export interface Words {
  readonly en: string
  readonly zh: string
}

export const inLanguage = (language: Language, { en, zh }: Words): string => (language === 'en' ? en : zh)

/**
 * The flag, then what POSIX says of the environment: LC_ALL before LC_MESSAGES before LANG. English otherwise.
 * @throws {UsageError} for a flag of another language.
 */
export function languageOf(flag: string | undefined, env: NodeJS.ProcessEnv): Language {
  if (flag !== undefined) {
    const named = languages.find((language) => language === flag)
    if (named !== undefined) return named
    throw new UsageError(`--lang ${flag}: it must be one of ${languages.join(', ')} 语言须为二者之一`)
  }
  const locale = [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find(
    (value) => value !== undefined && value !== '',
  )
  return locale?.startsWith('zh') === true ? 'zh-CN' : 'en'
}
