// The page's language: as chosen, else the browser's; both are there, and one button changes between them.
export type Language = 'zh' | 'en'

const key = 'chiyuan-language'

export function chosenLanguage(): Language {
  const chosen = localStorage.getItem(key)
  if (chosen === 'zh' || chosen === 'en') return chosen
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

export function chooseLanguage(language: Language): void {
  localStorage.setItem(key, language)
}

export const tagOf = (language: Language): string => (language === 'zh' ? 'zh-CN' : 'en')

export const otherThan = (language: Language): Language => (language === 'zh' ? 'en' : 'zh')

/** Puts the words of one language into all that is marked with `data-word`. */
export function speak(words: Readonly<Record<string, string>>, language: Language): void {
  document.documentElement.lang = tagOf(language)
  for (const element of document.querySelectorAll<HTMLElement>('[data-word]')) {
    element.textContent = words[element.dataset['word'] ?? ''] ?? element.textContent
  }
}
