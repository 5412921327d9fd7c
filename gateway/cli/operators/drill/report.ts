// `chiyuan drill report`: what came of a drill, to read, to keep or to hand on.
import { writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { errorText, UsageError } from '../../../model/errors.ts'
import type { Desk } from '../command.ts'
import { withQuery } from '../pages.ts'
import { pathOf } from './answers.ts'

export const reportFormats = ['markdown', 'html', 'json'] as const
export type ReportFormat = (typeof reportFormats)[number]
const endings: Readonly<Record<ReportFormat, string>> = { markdown: 'md', html: 'html', json: 'json' }

/** @throws {CommandFailure} where there is none (yet). */
export async function reportOf(desk: Desk, id: string, format: ReportFormat): Promise<string> {
  const lang = desk.language === 'en' ? 'en' : 'zh'
  return text(await desk.client.stream(withQuery(`${pathOf(id)}/report`, { format, lang })))
}

export async function report(
  desk: Desk,
  id: string,
  { format, out }: { format?: ReportFormat; out?: string },
): Promise<void> {
  const chosen = desk.json ? 'json' : (format ?? formatOf(out))
  const whole = await reportOf(desk, id, chosen)
  if (out === undefined) {
    process.stdout.write(whole.endsWith('\n') ? whole : `${whole}\n`)
    return
  }
  await written(out, whole)
  process.stderr.write(`${desk.say({ en: 'written', zh: '已写入' })}: ${out}\n`)
}

/** By the name of the file that it is written to; Markdown otherwise. */
const formatOf = (out: string | undefined): ReportFormat =>
  reportFormats.find((format) => out?.endsWith(`.${endings[format]}`) === true) ?? 'markdown'

/** @throws {UsageError} Never writes over another file. */
async function written(file: string, content: string): Promise<void> {
  try {
    await writeFile(file, content, { flag: 'wx' })
  } catch (cause) {
    throw new UsageError(`${file}: writing it failed (${errorText(cause)}); name a new file by --out`, {
      cause,
    })
  }
}
