// A change that rests on what its author has seen: sent with that version, and where somebody was quicker, says who.
import type { z } from 'zod'
import { newestRecords } from './audit-end.ts'
import type { Answer } from './client.ts'
import type { Desk } from './command.ts'
import { CommandFailure, exitCodes } from './failure.ts'
import { localTime } from './output.ts'
import { oneLine } from '../table.ts'

export interface Change {
  readonly method: 'PUT' | 'PATCH' | 'DELETE' | 'POST'
  readonly path: string
  readonly body?: unknown
  /** As it was seen; `null` for any. */
  readonly version: number | null
  /** As the audit log names it, such as `holds/7f3a`. */
  readonly target: string
}

/** @throws {CommandFailure} */
export async function change<T>(
  desk: Desk,
  { method, path, body, version, target }: Change,
  schema: z.ZodType<T>,
): Promise<Answer<T>> {
  const sent = { ...(body !== undefined && { body }), ...(version !== null && { ifMatch: version }) }
  try {
    return await desk.client.send(method, path, sent, schema)
  } catch (cause) {
    if (!(cause instanceof CommandFailure) || cause.problem?.status !== 412) throw cause
    throw await somebodyElse(desk, target, cause)
  }
}

/** How far back somebody who was quicker is looked for. */
const recentRecords = 500

async function somebodyElse(desk: Desk, target: string, stale: CommandFailure): Promise<CommandFailure> {
  const records = await newestRecords(desk.client, recentRecords)
  const last = records.findLast((record) => record.target === target && record.outcome === 'done')
  if (last === undefined) return stale
  const who = oneLine(last.actor?.name ?? '?')
  const at = localTime(last.at)
  const why = last.reason === null ? '' : `: ${oneLine(last.reason)}`
  return new CommandFailure(
    exitCodes.refused,
    {
      en: `${who} changed it meanwhile (${last.action}, ${at}${why}); nothing of yours was changed. Look at it again, and decide anew`,
      zh: `${who} 刚刚修改过（${last.action}，${at}${why}）；您的更改未执行。请重新查看后再决定`,
    },
    stale.problem,
  )
}
