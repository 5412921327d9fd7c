// Writes what a resident's page shows into the document.
import { element, show, write } from './elements.ts'
import type { Language } from './language.ts'
import { otherThan, speak, tagOf } from './language.ts'
import { qrPicture } from './qr-picture.ts'
import { regionName } from './regions.ts'
import { looks, results, sources, words } from './resident-words.ts'
import type { Look } from './shapes.ts'
import { shapeOf } from './shapes.ts'
import type { Shown } from './shown-code.ts'
import { clockText, dayText, leftText, momentText } from './times.ts'

export interface View {
  readonly shown: Shown
  /** Nothing was heard yet. */
  readonly waiting: boolean
  readonly failing: boolean
  readonly unknown: boolean
  readonly busy: boolean
  readonly language: Language
}

/** All but what ticks. */
export function render(view: View): void {
  const { shown, language, waiting } = view
  const look: Look = shown.code?.status ?? (waiting ? 'waiting' : 'none')
  const said = words[language]
  speak(said, language)
  document.title = `${looks[language][look]} · ${said.documentTitle}`
  renderColour(look, language)
  renderQr(shown, language)
  renderFacts(shown, language)
  const source = shown.code === null && waiting ? 'waiting' : shown.source
  const notice = sources[language][source](shown.code === null ? '' : regionName(shown.code.issuer, language))
  write('notice', notice)
  element('card').dataset['source'] = source
  show('retrying', view.failing && shown.code !== null && source !== 'carried')
  show('unknown', view.unknown)
  element('refresh').setAttribute('aria-busy', String(view.busy))
  write('refresh', view.busy ? said.refreshing : said.refresh)
  announce(`${looks[language][look]}. ${notice}`)
}

/** What changes with every second; no screen reader is told of it. */
export function tick({ shown, language }: View, nowMs: number): void {
  write('clock', clockText(nowMs, language))
  write('day', dayText(nowMs, language))
  const { code } = shown
  show('life', code !== null)
  if (code === null) return
  write('left', leftText(code.validUntil - nowMs))
  const share = (code.validUntil - nowMs) / (code.validUntil - code.issuedAt)
  const bar = element('bar')
  if (bar instanceof HTMLProgressElement) bar.value = Math.max(0, Math.min(1, share))
}

function renderColour(look: Look, language: Language): void {
  const card = element('card')
  if (card.dataset['look'] !== look) element('shape').replaceChildren(shapeOf(look))
  card.dataset['look'] = look
  const other = otherThan(language)
  write('word', looks[language][look])
  write('word-other', looks[other][look])
  element('word-other').lang = tagOf(other)
}

function renderQr({ code }: Shown, language: Language): void {
  const frame = element('qr')
  show('qr', code !== null)
  if (code === null) return
  frame.setAttribute('role', 'img')
  const [colour, until] = [looks[language][code.status], momentText(code.validUntil, language)]
  frame.setAttribute(
    'aria-label',
    language === 'zh' ? `${colour}二维码，有效至${until}` : `QR code, ${colour}, good until ${until}`,
  )
  if (frame.dataset['code'] === code.code) return
  frame.dataset['code'] = code.code
  frame.replaceChildren(qrPicture(code.code))
}

function renderFacts({ code }: Shown, language: Language): void {
  show('facts', code !== null)
  if (code === null) return
  write('home', regionName(code.divisionCode, language))
  write('issuer', regionName(code.issuer, language))
  write('issued', momentText(code.issuedAt, language))
  write('updated', momentText(code.updatedAt, language))
  const tested = code.testTime === null ? '—' : momentText(code.testTime, language)
  write('tested', code.testResult === null ? tested : `${tested} · ${results[language][code.testResult]}`)
}

/** The live region: said when colour or source change, and not when a code is merely renewed. */
function announce(text: string): void {
  write('said', text)
}
