// The scorecard: a table by area for people, Chinese and English, and JSON for programs.
import { AREAS, areaOf } from './check.ts'
import type { Verdict } from './check.ts'
import type { Judged, Scorecard } from './run.ts'

/** A mark and words: no colour is needed to read them. */
const WORDS: Record<Verdict['outcome'], string> = {
  pass: '✓ 通过 pass   ',
  fail: '✗ 不符 FAIL   ',
  skipped: '- 未判 skipped',
}

/** Lines for a terminal. */
export function cardText({ home, rootFrom, judged, requests, conforms }: Scorecard): string {
  const lines = [`区域节点符合性 Conformance of a region node, home ${home}`, '']
  for (const area of AREAS) {
    const rows = judged.filter(({ check }) => areaOf(check) === area)
    lines.push(`${area}  ${countOf(rows, 'pass')}/${rows.length}`, ...rows.flatMap(rowsOf), '')
  }
  const failed = judged.filter(({ verdict }) => verdict.outcome === 'fail')
  const musts = failed.filter(({ check }) => check.level === 'must').length
  lines.push(
    `通过 passed ${countOf(judged, 'pass')}, 不符 failed ${failed.length} (must ${musts}), ` +
      `未判 not judged ${countOf(judged, 'skipped')}; ${requests} requests 次请求`,
    rootFrom === 'file'
      ? '信任根来自本机文件。 The trust root was your own file.'
      : '信任根由被测节点自己提供，只能证明自洽；请以 --trust-root 指定。\n' +
          'The trust root was served by the node itself: that shows only that it agrees with itself; give --trust-root.',
    conforms
      ? '结论：在已判各项中符合。 It conforms, in what was judged.'
      : '结论：不符合。 It does not conform.',
  )
  return `${lines.join('\n')}\n`
}

function rowsOf({ check, verdict }: Judged): string[] {
  const [zh, en] = check.title
  const row = `  ${WORDS[verdict.outcome]}  ${check.level.padEnd(6)}  ${check.id.padEnd(28)}  ${zh} ${en}`
  if (verdict.outcome === 'pass') return [row]
  if (verdict.outcome === 'skipped') return [row, `      原因 why: ${verdict.why}`]
  const [todoZh, todoEn] = verdict.todo
  return [
    row,
    `      应为 expected: ${verdict.expected}`,
    `      实为 came: ${verdict.came}`,
    `      处理 do: ${todoZh}。 ${todoEn}.`,
  ]
}

const countOf = (judged: readonly Judged[], outcome: Verdict['outcome']): number =>
  judged.filter(({ verdict }) => verdict.outcome === outcome).length

/** One line of JSON. */
export function cardJson({ home, rootFrom, judged, requests, conforms }: Scorecard): string {
  const checks = judged.map(({ check, verdict }) => ({
    id: check.id,
    area: areaOf(check),
    level: check.level,
    title: { zh: check.title[0], en: check.title[1] },
    ...verdict,
    ...(verdict.outcome === 'fail' ? { todo: { zh: verdict.todo[0], en: verdict.todo[1] } } : {}),
  }))
  return `${JSON.stringify({ home, rootFrom, conforms, requests, checks })}\n`
}
