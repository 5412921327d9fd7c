// A checkpoint's page: judges codes on the device, by lists that it keeps, with or without a network.
import { config } from 'zod'
import { emptyLists } from '../../verify/lists.ts'
import type { Verdict } from '../../verify/verdict.ts'
import { verifyCode } from '../../verify/verify-code.ts'
import type { Notice, View } from './checkpoint-view.ts'
import { render } from './checkpoint-view.ts'
import { element } from './elements.ts'
import type { Held } from './held-lists.ts'
import { forgetLists, restoreLists, updateLists } from './held-lists.ts'
import type { PaperColour } from './paper-colour.ts'
import { askForColour } from './paper-colour.ts'
import { chooseLanguage, chosenLanguage, otherThan } from './language.ts'
import { keepPagesOffline } from './offline.ts'
import { readCamera, readPicture } from './qr-reader.ts'

// The page's policy forbids to make code of text, and zod would try.
config({ jitless: true })

const updateEveryMs = 10 * 60_000

let language = chosenLanguage()
let held: Held | null = null
let verdict: Verdict | null = null
let paper: PaperColour | null = null
let notice: Notice = null
let updating = false
let trouble: View['trouble'] = null
let scanning: AbortController | null = null

const draw = (): void =>
  render(
    { language, verdict, paper, held, notice, updating, scanning: scanning !== null, trouble },
    Date.now(),
  )

async function judge(text: string): Promise<void> {
  const nowMs = Date.now()
  trouble = null
  // White space comes along with what is pasted.
  const code = text.replaceAll(/\s/g, '')
  const judged = await verifyCode(code, held?.lists ?? emptyLists([]), { nowMs })
  verdict = judged
  paper = judged.outcome === 'genuine-paper' ? { is: 'asked' } : null
  draw()
  if (paper === null) return
  const answer = await askForColour(code)
  // The next person may be here already.
  if (verdict !== judged) return
  paper = answer
  draw()
}

async function update(): Promise<void> {
  if (updating) return
  updating = true
  draw()
  const newest = await updateLists(held, Date.now())
  held = newest.held
  notice = !newest.reached ? 'offline' : newest.refused.length > 0 ? 'refused' : 'online'
  updating = false
  draw()
}

async function startOver(): Promise<void> {
  await forgetLists()
  held = null
  await update()
}

async function scan(): Promise<void> {
  if (scanning !== null) return scanning.abort()
  scanning = new AbortController()
  trouble = null
  verdict = null
  paper = null
  draw()
  const video = element('camera')
  try {
    const found = video instanceof HTMLVideoElement ? await readCamera(video, scanning.signal) : null
    if (found !== null) await take(found)
  } catch {
    trouble = 'noCamera'
  }
  scanning = null
  draw()
}

async function readFile(file: File): Promise<void> {
  const found = file.type.startsWith('image/') ? await readPicture(file) : await file.text()
  if (found !== null) return take(found)
  verdict = null
  paper = null
  trouble = 'noCode'
  draw()
}

function take(text: string): Promise<void> {
  if (area instanceof HTMLTextAreaElement) area.value = text
  return judge(text)
}

const area = element('code')
const pasted = (): string => (area instanceof HTMLTextAreaElement ? area.value : '')

element('verifier').addEventListener('submit', (event) => {
  event.preventDefault()
  void judge(pasted())
})
area.addEventListener('paste', () => setTimeout(() => void judge(pasted())))
area.addEventListener('keydown', (event) => {
  // As a scanner that types does: the code, then Enter.
  if (event.key !== 'Enter') return
  event.preventDefault()
  void judge(pasted())
})
element('scan').addEventListener('click', () => void scan())
element('picture').addEventListener('change', ({ target }) => {
  const [file] = target instanceof HTMLInputElement ? (target.files ?? []) : []
  if (file !== undefined) void readFile(file)
  if (target instanceof HTMLInputElement) target.value = ''
})
element('next').addEventListener('click', () => {
  if (area instanceof HTMLTextAreaElement) area.value = ''
  verdict = null
  paper = null
  trouble = null
  draw()
  area.focus()
})
element('language').addEventListener('click', () => {
  language = otherThan(language)
  chooseLanguage(language)
  draw()
})
element('update').addEventListener('click', () => void update())
element('forget').addEventListener('click', () => void startOver())
addEventListener('online', () => void update())

async function begin(): Promise<void> {
  held = await restoreLists(Date.now())
  draw()
  await update()
}

setInterval(() => void update(), updateEveryMs)
// The ages go on.
setInterval(draw, 10_000)
draw()
void begin()
keepPagesOffline()
