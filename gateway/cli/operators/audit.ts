// `chiyuan audit`: what was done and tried, by whom and why; and whether the log of it is whole.
import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { z } from 'zod'
import { errorText, UsageError } from '../../model/errors.ts'
import { wholeNumber } from '../option-values.ts'
import { table } from '../table.ts'
import { auditRecord, type AuditRecordAnswer } from './answers.ts'
import { newestRecords } from './audit-end.ts'
import { verifyOffline, verifyOnline } from './audit-verify.ts'
import { type CommonFlags, type Desk, operatorsCommand, withCommonOptions, withGateway } from './command.ts'
import { CommandFailure, exitCodes } from './failure.ts'
import { localTime, show, toned } from './output.ts'
import { withQuery } from './pages.ts'

interface ListFlags extends CommonFlags {
  readonly limit: number
  readonly after?: number
}

export function auditCommand(): Command {
  const command = operatorsCommand('audit', 'what was done and tried, by whom and why 审计日志', examples)
  withCommonOptions(
    command
      .command('list')
      .description('the newest records, or those after one 查看最新记录')
      .option('--limit <n>', 'so many at the most 最多条数', wholeNumber(1, 500), 20)
      .option('--after <seq>', 'from the record after this one 从此序号之后', wholeNumber(0, 1e12)),
  ).action((flags: ListFlags) => withGateway(flags, (desk) => list(desk, flags)))
  withCommonOptions(
    command
      .command('verify')
      .description('exit 1 where a record was edited, removed or moved 校验日志是否被改动')
      .option('--file <file>', 'an exported log, without a gateway 离线校验导出文件')
      .option('--anchor <seq:hash>', 'a record that must be in it, kept elsewhere 另存的锚点'),
  ).action((flags: CommonFlags & { file?: string; anchor?: string }) =>
    flags.file === undefined
      ? withGateway(flags, (desk) => verifyOnline(desk, flags.anchor))
      : verifyOffline(flags.file, flags),
  )
  withCommonOptions(
    command
      .command('export')
      .description('the whole log as JSON Lines 导出全部日志')
      .option('--out <file>', 'there instead of standard output 写入文件'),
  ).action((flags: CommonFlags & { out?: string }) =>
    withGateway(flags, (desk) => exportLog(desk, flags.out)),
  )
  return command
}

const examples = `  chiyuan audit list
  chiyuan audit list --after 1200 --limit 100 --json
  chiyuan audit verify
  chiyuan audit export --out audit.jsonl
  chiyuan audit verify --file audit.jsonl --anchor 1200:5f2c…   # as a verification before has told it 先前校验给出的锚点`

async function list(desk: Desk, { limit, after }: ListFlags): Promise<void> {
  if (after === undefined && !desk.json)
    return void process.stdout.write(recordsTable(desk, await newestRecords(desk.client, limit)))
  const first = after ?? ((await newestRecords(desk.client, limit))[0]?.seq ?? 1) - 1
  const path = withQuery('/audit', { limit: String(limit), after: String(first) })
  const answer = await desk.client.get(path, z.object({ items: z.array(auditRecord) }))
  show(desk, answer, () => recordsTable(desk, answer.value.items))
}

function recordsTable(desk: Desk, records: readonly AuditRecordAnswer[]): string {
  const heads = desk.say({
    en: 'No|Time|Who|From|What|Of|Outcome|Why',
    zh: '序号|时间|操作人|来源|操作|对象|结果|原因',
  })
  const rows = records.map((record) => [
    String(record.seq),
    localTime(record.at),
    record.actor?.name ?? '-',
    record.from,
    record.action,
    record.target,
    record.outcome,
    record.detail ?? record.reason ?? '',
  ])
  return table(heads.split('|'), rows)
}

/** A log that broke off is not left behind as a whole one. */
async function exportLog(desk: Desk, out: string | undefined): Promise<void> {
  const body = await desk.client.stream('/audit/export')
  if (out === undefined) {
    await pipeline(body, process.stdout, { end: false }).catch((cause: unknown) => {
      throw brokenOff(cause)
    })
    return
  }
  const draft = `${out}.${randomBytes(4).toString('hex')}`
  try {
    await pipeline(body, createWriteStream(draft, { flags: 'wx', mode: 0o600 }))
    await rename(draft, out)
  } catch (cause) {
    await rm(draft, { force: true })
    throw body.errored === null
      ? new UsageError(
          `--out ${out}: writing it failed (${errorText(cause)}); name a file that can be written 请换一个可写的文件`,
        )
      : brokenOff(cause)
  }
  const told = desk.say({ en: `audit log written to ${out}`, zh: `审计日志已写入 ${out}` })
  process.stderr.write(`${toned('good', told, process.stderr)}\n`)
}

const brokenOff = (cause: unknown): CommandFailure =>
  new CommandFailure(exitCodes.failed, {
    en: `the export broke off (${errorText(cause)}); what came is not the whole log: export it again`,
    zh: `导出中断（${errorText(cause)}）；所得并非完整日志，请重新导出`,
  })
