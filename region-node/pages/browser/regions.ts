// Names of the regions of the demonstration; of any other the division code stands for itself.
import type { Language } from './language.ts'

const names: Record<string, Readonly<Record<Language, string>>> = {
  '610000': { zh: '陕西省', en: 'Shaanxi' },
  '610100': { zh: '西安市', en: "Xi'an" },
  '610400': { zh: '咸阳市', en: 'Xianyang' },
  '610500': { zh: '渭南市', en: 'Weinan' },
}

export function regionName(code: string, language: Language): string {
  const name = names[code]?.[language]
  return name === undefined ? code : `${name} ${code}`
}
