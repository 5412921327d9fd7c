// The lever that ends all drills and bars new ones.
import { fields } from '../../table.ts'
import { change } from '../change.ts'
import { noAnswerBody } from '../answers.ts'
import type { Desk } from '../command.ts'
import { localTime, show } from '../output.ts'
import { withQuery } from '../pages.ts'
import { leverAnswer, type LeverAnswer } from './answers.ts'

/** Nobody is asked: it must be quick. */
export async function stopAll(desk: Desk, reason: string): Promise<void> {
  const answer = await desk.client.send('POST', '/drill-lever', { body: { reason } }, leverAnswer)
  show(desk, answer, () => leverText(desk, answer.value))
}

export async function showLever(desk: Desk): Promise<void> {
  const answer = await desk.client.get('/drill-lever', leverAnswer)
  show(desk, answer, () => leverText(desk, answer.value))
}

export async function release(desk: Desk, reason: string): Promise<void> {
  const { version } = await desk.client.get('/drill-lever', leverAnswer)
  const path = withQuery('/drill-lever', { reason })
  await change(desk, { method: 'DELETE', path, version, target: 'drill-lever' }, noAnswerBody)
  if (!desk.json)
    process.stdout.write(
      `${desk.say({ en: 'released: drills may begin again', zh: '已解除：可以重新演练' })}\n`,
    )
}

function leverText(desk: Desk, { isSet, owner, reason, setAt }: LeverAnswer): string {
  if (!isSet) return `${desk.say({ en: 'not set: drills may begin', zh: '未启用：可以演练' })}\n`
  return fields([
    [
      desk.say({ en: 'lever', zh: '总停' }),
      desk.say({
        en: 'SET: all drills are ended, and none may begin',
        zh: '已启用：全部演练已结束，且不得开始',
      }),
    ],
    [desk.say({ en: 'by', zh: '操作人' }), owner ?? '?'],
    [desk.say({ en: 'reason', zh: '原因' }), reason ?? ''],
    [desk.say({ en: 'since', zh: '自' }), setAt === null ? '?' : localTime(setAt)],
    [desk.say({ en: 'to release it', zh: '解除' }), 'chiyuan drill release --reason …'],
  ])
}
