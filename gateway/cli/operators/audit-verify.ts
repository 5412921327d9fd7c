// `chiyuan audit verify`: by the gateway, or by this machine over an exported file.
import { stat } from 'node:fs/promises'
import { errorCode, errorText, UsageError } from '../../model/errors.ts'
import { oneLine } from '../table.ts'
import { verificationAnswer } from './answers.ts'
import { type CommonFlags, type Desk, inWords } from './command.ts'
import { exitCodes } from './failure.ts'
import { inLanguage, type Language } from './language.ts'
import { toned } from './output.ts'
import { withQuery } from './pages.ts'
import { ProgressBar } from './progress-bar.ts'

interface Verified {
  readonly records: number
  readonly anchor: string
  readonly fault: { readonly place: number; readonly problem: string; readonly detail: string } | null
}

export async function verifyOnline(desk: Desk, anchor: string | undefined): Promise<void> {
  if (anchor !== undefined) anchorOf(anchor)
  const answer = await desk.client.get(withQuery('/audit/verification', { anchor }), verificationAnswer)
  tell(desk.language, desk.json, answer.value, answer.text)
}

export const verifyOffline = (file: string, flags: CommonFlags & { anchor?: string }): Promise<void> =>
  inWords(flags, async (language) => {
    const anchor = flags.anchor === undefined ? null : anchorOf(flags.anchor)
    try {
      const { size } = await stat(file)
      const { verifyAuditFile } = await import('../../compose/offline.ts')
      using bar = new ProgressBar(size)
      const { head, fault } = await verifyAuditFile(file, anchor, (bytes) => bar.at(bytes))
      bar.clear()
      const verified = { whole: fault === null, records: head.seq, anchor: `${head.seq}:${head.hash}`, fault }
      tell(language, flags.json === true, verified, JSON.stringify(verified))
    } catch (cause) {
      if (errorCode(cause) === '' || cause instanceof UsageError) throw cause
      throw new UsageError(
        `--file ${file}: reading it failed (${errorText(cause)}); give an exported audit log 请给出导出的日志文件`,
      )
    }
  })

const anchorForm = /^(\d{1,12}):([0-9a-f]{64})$/

/** @throws {UsageError} */
function anchorOf(text: string): { seq: number; hash: string } {
  const [, seq, hash] = anchorForm.exec(text) ?? []
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash }
  throw new UsageError(
    `--anchor ${text}: it must be SEQ:HASH as a verification tells it: a number, a colon, 64 hexadecimal digits`,
  )
}

function tell(language: Language, json: boolean, { records, anchor, fault }: Verified, text: string): void {
  if (fault !== null) process.exitCode = exitCodes.failed
  if (json) return void process.stdout.write(`${text}\n`)
  const words =
    fault === null
      ? {
          en: `whole: ${records} records, each follows the one before.\nanchor ${anchor}\nKeep the anchor elsewhere: with --anchor it also shows a log that was cut short or written anew.`,
          zh: `完整：${records} 条记录，逐条相接。\n锚点 ${anchor}\n请将锚点另存他处：日后以 --anchor 校验，可发现日志被截断或整体重写。`,
        }
      : {
          en: `NOT WHOLE, at record ${fault.place} (${fault.problem}): ${oneLine(fault.detail)}.\n${records} records before it are in order.`,
          zh: `日志不完整，问题在第 ${fault.place} 条（${fault.problem}）：${oneLine(fault.detail)}。\n此前 ${records} 条记录完好。`,
        }
  const [headline = '', ...rest] = inLanguage(language, words).split('\n')
  process.stdout.write([toned(fault === null ? 'good' : 'bad', headline), ...rest, ''].join('\n'))
}
