// A resident's page: shows the code, renews it, and falls back on what it carries; whatever happens it shows something.
import { askFor } from './ask-node.ts'
import { element } from './elements.ts'
import { keep, readKept } from './kept-codes.ts'
import { chooseLanguage, chosenLanguage, otherThan } from './language.ts'
import { keepPagesOffline } from './offline.ts'
import { chooseResident, isResidentId, residentId } from './resident-id.ts'
import type { View } from './resident-view.ts'
import { render, tick } from './resident-view.ts'
import type { Known } from './shown-code.ts'
import { needsCredential, nextAskMs, shownCode } from './shown-code.ts'

let resident = residentId()
let known: Known = readKept(resident)
let language = chosenLanguage()
let failures = 0
let heard = known.display !== null || known.carried !== null
let unknown = false
let asking: Promise<void> | null = null
let timer: ReturnType<typeof setTimeout> | undefined

const view = (): View => ({
  shown: shownCode(known, Date.now()),
  waiting: !heard,
  failing: failures > 0,
  unknown,
  busy: asking !== null,
  language,
})

function draw(): void {
  const now = view()
  render(now)
  tick(now, Date.now())
}

/** One at a time: who presses again and again asks once. */
function renew(): Promise<void> {
  asking ??= ask().finally(() => {
    asking = null
    heard = true
    draw()
    planNext()
  })
  draw()
  return asking
}

async function ask(): Promise<void> {
  const whose = resident
  const display = await askFor('codes', whose)
  if (whose !== resident) return
  unknown = !display.ok && display.reason === 'unknown'
  failures = display.ok || unknown ? 0 : failures + 1
  if (!display.ok) return
  known = { ...known, display: display.code, lastGood: display.lastGood }
  if (!display.lastGood && needsCredential(known, Date.now())) await renewCredential(whose)
  keep(whose, known)
}

async function renewCredential(whose: string): Promise<void> {
  const carried = await askFor('credentials', whose)
  if (carried.ok && whose === resident) known = { ...known, carried: carried.code }
}

function planNext(): void {
  clearTimeout(timer)
  const { shown } = view()
  timer = setTimeout(
    () => {
      // A phone in a pocket asks for nothing.
      if (document.visibilityState === 'visible') void renew()
    },
    nextAskMs(shown, failures, Date.now(), Math.random()),
  )
}

let lastShown = ''
function tickOn(): void {
  const now = view()
  const name = `${now.shown.source} ${now.shown.code?.code ?? ''}`
  // A code has just ended.
  if (name !== lastShown) render(now)
  lastShown = name
  tick(now, Date.now())
}

element('refresh').addEventListener('click', () => void renew())
element('language').addEventListener('click', () => {
  language = otherThan(language)
  chooseLanguage(language)
  draw()
})
element('chooser').addEventListener('submit', (event) => {
  event.preventDefault()
  const input = element('resident')
  const wanted = input instanceof HTMLInputElement ? input.value.trim() : ''
  unknown = !isResidentId(wanted)
  if (unknown) return draw()
  open(wanted)
})
addEventListener('hashchange', () => {
  if (residentId() !== resident) open(residentId())
})
addEventListener('online', () => void renew())
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') void renew()
})

function open(wanted: string): void {
  chooseResident(wanted)
  resident = wanted
  known = readKept(resident)
  heard = false
  failures = 0
  asking = null
  void renew()
}

const input = element('resident')
if (input instanceof HTMLInputElement) input.value = resident
tickOn()
setInterval(tickOn, 1_000)
void renew()
keepPagesOffline()
