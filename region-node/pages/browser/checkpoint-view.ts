// Writes verdicts, and what they were judged by, into the checkpoint's page.
import type { Verdict } from '../../verify/verdict.ts'
import { adviceOn, kinds, outcomes, paperGenuine, refusals, words } from './checkpoint-words.ts'
import { element, show, write } from './elements.ts'
import type { Held } from './held-lists.ts'
import type { Language } from './language.ts'
import { otherThan, speak, tagOf } from './language.ts'
import type { PaperColour } from './paper-colour.ts'
import { regionName } from './regions.ts'
import { looks } from './resident-words.ts'
import type { Look } from './shapes.ts'
import { shapeOf } from './shapes.ts'
import { agoText, momentText } from './times.ts'

export type Notice = 'online' | 'offline' | 'refused' | null

export interface View {
  readonly language: Language
  readonly verdict: Verdict | null
  /** Of a genuine paper alone. */
  readonly paper: PaperColour | null
  readonly held: Held | null
  readonly notice: Notice
  readonly updating: boolean
  readonly scanning: boolean
  /** Why there is nothing to verify. */
  readonly trouble: 'noCode' | 'noCamera' | null
}

export function render(view: View, nowMs: number): void {
  const { language, verdict, paper } = view
  const said = words[language]
  speak(said, language)
  document.title = said.documentTitle
  renderVerdict(verdict, paper, language)
  renderFacts(verdict, paper, language, nowMs)
  renderLists(view, nowMs)
  show('camera', view.scanning)
  write('scan', view.scanning ? said.stop : said.scan)
  show('trouble', view.trouble !== null)
  if (view.trouble !== null) write('trouble', said[view.trouble])
}

function renderVerdict(verdict: Verdict | null, paper: PaperColour | null, language: Language): void {
  const other = otherThan(language)
  const look = lookOf(verdict, paper)
  const card = element('card')
  if (card.dataset['look'] !== look) element('shape').replaceChildren(shapeOf(look))
  card.dataset['look'] = look
  write('word', headline(verdict, paper, language))
  write('word-other', headline(verdict, paper, other))
  element('word-other').lang = tagOf(other)
  const notice = verdict === null ? words[language].hint : adviceOn(verdict, paper, language)
  write('notice', notice)
  if (verdict !== null) write('said', `${headline(verdict, paper, language)}. ${notice}`)
}

/** A code that can't be judged is not refused: it may be good. */
const lookOf = (verdict: Verdict | null, paper: PaperColour | null): Look => {
  if (verdict === null) return 'waiting'
  if (verdict.outcome === 'valid') return verdict.claims.st
  if (verdict.outcome === 'genuine-paper') {
    return paper?.is === 'known' ? paper.status : paper?.is === 'refused' ? 'refused' : 'paper'
  }
  return verdict.outcome === 'list-too-old' ? 'none' : 'refused'
}

function headline(verdict: Verdict | null, paper: PaperColour | null, language: Language): string {
  if (verdict === null) return words[language].nothing
  if (paper?.is === 'known') return `${paperGenuine[language]} · ${looks[language][paper.status]}`
  if (paper?.is === 'refused') return refusals[language][paper.why]
  const outcome = outcomes[language][verdict.outcome]
  return verdict.outcome === 'valid' ? `${outcome} · ${looks[language][verdict.claims.st]}` : outcome
}

function renderFacts(
  verdict: Verdict | null,
  paper: PaperColour | null,
  language: Language,
  nowMs: number,
): void {
  show('facts', verdict !== null && isGenuine(verdict) && paper?.is !== 'refused')
  show('ages', verdict !== null)
  if (verdict === null) return
  const { trustSeconds, revocationsSeconds } = verdict.lists
  const age = (seconds: number | null): string =>
    seconds === null ? words[language].missing : agoText(seconds, language)
  write(
    'ages',
    `${words[language].age}: ${words[language].trust} ${age(trustSeconds)} · ${words[language].revocations} ${age(revocationsSeconds)}`,
  )
  if (!isGenuine(verdict)) return
  const { hom, iss, iat, exp } = verdict.claims
  write('home', regionName(hom, language))
  write('issuer', regionName(iss, language))
  write('kind', kindOf(verdict, language) + (verdict.delegated ? kinds[language].delegated : ''))
  write('issued', agoText(nowMs / 1000 - iat, language))
  write('until', momentText(exp * 1000, language))
}

type Genuine = Extract<Verdict, { outcome: 'valid' | 'genuine-paper' }>

const isGenuine = (verdict: Verdict): verdict is Genuine =>
  verdict.outcome === 'valid' || verdict.outcome === 'genuine-paper'

function kindOf(verdict: Genuine, language: Language): string {
  if (verdict.outcome === 'valid') return kinds[language][verdict.kind]
  const people = verdict.claims.sub.length
  return people === 1 ? kinds[language].paper : kinds[language].family(people)
}

function renderLists({ held, language, notice, updating }: View, nowMs: number): void {
  const said = words[language]
  const ageOf = (iat: number): string => agoText(nowMs / 1000 - iat, language)
  const trust = held?.lists.trust ?? null
  write('trust-age', trust === null ? said.missing : `№ ${trust.counter} · ${ageOf(trust.iat)}`)
  const lists = [...(held?.lists.revocations.values() ?? [])].map(
    ({ iss, iat }) => `${regionName(iss, language)} · ${ageOf(iat)}`,
  )
  write('revocation-ages', lists.length === 0 ? said.missing : lists.join('\n'))
  write('root', held?.lists.roots.map(({ kid }) => kid).join('\n') ?? said.missing)
  write('update', updating ? said.updating : said.update)
  element('update').setAttribute('aria-busy', String(updating))
  show('state', notice !== null)
  if (notice !== null) write('state', said[notice])
  show('forget', notice === 'refused')
}
