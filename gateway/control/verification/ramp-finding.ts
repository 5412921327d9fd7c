// The ramp's result in words.
import type { Text } from '../../model/verification.ts'
import type { Harm } from '../../policy/verification-ramp.ts'
import type { Finding } from './finding.ts'
import type { RampResult } from './ramp.ts'

/** Share of the rate that this process must have sent for a pass to mean anything. */
const sentAtLeast = 0.9

export function rampFinding(result: RampResult, pledgedRps: number, mostRps: number): Finding {
  const { firstP99Ms, harm, lastP99Ms, requests, rps, sentRps } = result
  const measured = {
    pledgedRps,
    reachedRps: Math.round(rps * 10) / 10,
    sentRps: Math.round(sentRps * 10) / 10,
    requests,
    firstP99Ms,
    lastP99Ms,
  }
  if (harm !== null) {
    const { en, zh } = words(harm, result)
    const at = String(measured.reachedRps)
    return {
      outcome: 'failed',
      detail: {
        zh: `每秒 ${at} 次（承诺 ${pledgedRps}）时停止：${zh}`,
        en: `stopped at ${at} of ${pledgedRps} a second: ${en}`,
      },
      measured,
    }
  }
  // Few requests are rounded; a rate of less than one a second may not even have sent one.
  if (sentRps < sentAtLeast * rps - 1) {
    const detail = {
      zh: `网关自身只发出每秒 ${measured.sentRps} 次，未能证明 ${measured.reachedRps}；请在空闲时重试`,
      en: `the gateway itself sent ${measured.sentRps} of ${measured.reachedRps} a second, which proves nothing; try when it is less busy`,
    }
    return { outcome: 'failed', detail, measured }
  }
  const detail =
    pledgedRps > mostRps
      ? {
          zh: `实测至每秒 ${mostRps} 次；其余 ${pledgedRps} 次中的承诺未经实测`,
          en: `measured up to ${mostRps} a second; the rest of the ${pledgedRps} pledged is not proved`,
        }
      : { zh: `承受了承诺的每秒 ${pledgedRps} 次`, en: `it bore the pledged ${pledgedRps} a second` }
  return { outcome: 'passed', detail, measured }
}

function words(harm: Harm, { firstP99Ms, lastP99Ms }: RampResult): Text {
  switch (harm) {
    case 'refused':
      return { zh: '支援方答复 429 或 503', en: 'the donor answers 429 or 503' }
    case 'errors':
      return { zh: '错误超过 1 %', en: 'more than 1 % are errors' }
    case 'slow':
      return {
        zh: `p99 从 ${firstP99Ms ?? 0} 毫秒升至 ${lastP99Ms} 毫秒`,
        en: `its p99 rose from ${firstP99Ms ?? 0} ms to ${lastP99Ms} ms`,
      }
    case 'near-limit':
      return { zh: '支援方自报负载已近上限', en: 'by its own /load it is near its limit' }
    case 'full':
      return {
        zh: '承诺的并发数不足以承载该速率',
        en: 'the places that it pledged are too few for that rate',
      }
  }
}
