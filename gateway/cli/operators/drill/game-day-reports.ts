// What a game day leaves behind: each drill's report, as HTML to read and JSON to compute with.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, UsageError } from '../../../model/errors.ts'
import type { Desk } from '../command.ts'
import { CommandFailure, exitCodes } from '../failure.ts'
import type { DrillAnswer } from './answers.ts'
import { reportOf } from './report.ts'

/** @throws {UsageError} */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
  } catch (cause) {
    throw new UsageError(
      `${folder}: it can't be the folder of reports (${errorText(cause)}); name another by --out`,
      { cause },
    )
  }
}

/** @param i Its place in the game day. @throws {CommandFailure} The gateway still has it then. */
export async function keepReport(
  desk: Desk,
  folder: string,
  i: number,
  { id, name }: Pick<DrillAnswer, 'id' | 'name'>,
): Promise<void> {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '')
  const file = join(folder, `${String(i + 1).padStart(2, '0')}-${plain}-${id.slice(0, 8)}`)
  for (const format of ['html', 'json'] as const) {
    const report = await reportOf(desk, id, format)
    try {
      await writeFile(`${file}.${format}`, report)
    } catch (cause) {
      const why = errorText(cause)
      throw new CommandFailure(exitCodes.failed, {
        en: `${file}.${format}: writing it failed (${why}); the gateway has it still: chiyuan drill report ${id}`,
        zh: `${file}.${format}：写入失败（${why}）；网关仍保存此报告：chiyuan drill report ${id}`,
      })
    }
  }
}
