// Whether a node serves the homes that it is enrolled for, with data as fresh as agreed and no more of it.
import { z } from 'zod'
import type { EnrolmentTerms } from '../../model/enrolment.ts'
import type { RegionId } from '../../model/ids.ts'
import type { Text } from '../../model/verification.ts'
import type { Finding } from './finding.ts'
import { type Answer, CheckFault, jsonOf } from './get.ts'

const readiness = z.object({
  status: z.literal('ready'),
  region: z.string().optional(),
  notReadyFor: z.array(z.object({ region: z.string(), detail: z.string().max(500).default('') })).default([]),
  copies: z
    .array(
      z.object({
        region: z.string(),
        lagMs: z.number().min(0),
        ageMs: z.number().min(0).nullable(),
        inContact: z.boolean(),
      }),
    )
    .default([]),
})
export type Readiness = z.output<typeof readiness>

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))
const shown = z.object({
  code: z.string().regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/),
  status: z.enum(['green', 'yellow', 'red']),
  divisionCode: z.string(),
  issuer: z.string(),
  issuedAt: instant,
  validUntil: instant,
  freshness: z.enum(['live', 'replica', 'stale']),
  testTime: z.unknown(),
  testResult: z.unknown(),
})
const claims = z.object({ iss: z.string(), hom: z.string() })

/** @throws {CheckFault} */
export function readinessOf(answer: Answer): Readiness {
  const read = readiness.safeParse(jsonOf(answer))
  if (read.success) return read.data
  throw new CheckFault({
    zh: `/readyz 不合约定：${fieldsOf(read.error)}`,
    en: `/readyz is not as agreed: ${fieldsOf(read.error)}`,
  })
}

/** @param perHome What it answers where it is asked for one home. @throws {CheckFault} */
export function checkReady(
  { region, notReadyFor }: Readiness,
  { donor, homes }: EnrolmentTerms,
  perHome: ReadonlyMap<RegionId, Answer>,
): Finding {
  if (region !== undefined && region !== donor.code) {
    throw new CheckFault({ zh: `它自称 ${region} 的节点`, en: `it says that it is a node of ${region}` })
  }
  for (const home of homes) {
    if (notReadyFor.some((entry) => entry.region === home)) {
      throw new CheckFault({ zh: `尚不能为 ${home} 服务`, en: `it says that it is not ready for ${home}` })
    }
    const status = perHome.get(home)?.status
    if (status !== 200) {
      throw new CheckFault({
        zh: `/readyz?home=${home} 答复 ${status ?? '无'}`,
        en: `/readyz?home=${home} answered ${status ?? 'nothing'}`,
      })
    }
  }
  return {
    outcome: 'passed',
    detail: { zh: `可为 ${homes.join('、')} 服务`, en: `ready for ${homes.join(', ')}` },
    measured: { homes: homes.length },
  }
}

/** @throws {CheckFault} */
export function checkData({ copies }: Readiness, { homes, data }: EnrolmentTerms): Finding {
  const agreedMs = data.rpoSeconds * 1000
  let mostLagMs = 0
  const untold: RegionId[] = []
  for (const home of homes) {
    const copy = copies.find(({ region }) => region === home)
    if (copy === undefined) {
      untold.push(home)
      continue
    }
    // Out of contact the lag stands still as it was; then the age tells.
    const lagMs = copy.inContact ? copy.lagMs : copy.ageMs
    if (lagMs === null || lagMs > agreedMs) {
      const told: Text =
        lagMs === null
          ? { zh: `${home} 的副本尚不完整`, en: `its copy of ${home} is not whole yet` }
          : {
              zh: `${home} 的副本滞后 ${lagMs} 毫秒，约定 ${agreedMs}`,
              en: `its copy of ${home} is ${lagMs} ms behind, agreed are ${agreedMs}`,
            }
      throw new CheckFault(told)
    }
    mostLagMs = Math.max(mostLagMs, lagMs)
  }
  if (untold.length > 0) {
    const list = untold.join(', ')
    const detail = {
      zh: `未报告 ${list} 副本的时效；以所出示的码为准`,
      en: `it tells nothing of a copy of ${list}; judged by the codes that it shows`,
    }
    return { outcome: 'skipped', detail, measured: { mostLagMs } }
  }
  return {
    outcome: 'passed',
    detail: { zh: `副本滞后不超过 ${agreedMs} 毫秒`, en: `its copies are within ${agreedMs} ms of home` },
    measured: { mostLagMs },
  }
}

/** The code of `home`'s test resident: shape, whose it is, how fresh, and no field that was not agreed. @throws {CheckFault} */
export function checkCode(answer: Answer, home: RegionId, { donor, data }: EnrolmentTerms): void {
  if (answer.status === 404) {
    throw new CheckFault({
      zh: `不认识 ${home} 的测试居民`,
      en: `it does not know the test resident of ${home}`,
    })
  }
  const read = shown.safeParse(jsonOf(answer))
  if (!read.success) {
    const fields = fieldsOf(read.error)
    throw new CheckFault({
      zh: `${home} 的码不合约定：${fields}`,
      en: `the code of ${home} is not as agreed: ${fields}`,
    })
  }
  const { code, divisionCode, freshness, issuer, validUntil } = read.data
  const signed = claimsOf(code)
  const wrong = (zh: string, en: string): never => {
    throw new CheckFault({ zh: `${home} 的码：${zh}`, en: `the code of ${home}: ${en}` })
  }
  if (divisionCode !== home || signed.hom !== home)
    wrong('是另一地区居民的', 'it is another region’s resident’s')
  if (issuer !== donor.code || signed.iss !== donor.code)
    wrong('不是由支援方签发', 'the donor did not issue it')
  if (validUntil <= answer.sentAt) wrong('出示时已失效', 'it had ended when it was shown')
  if (freshness === 'stale') wrong('数据陈旧', 'its data are stale')
  for (const field of ['testTime', 'testResult'] as const) {
    if (!data.fields.includes(field) && (read.data[field] ?? null) !== null) {
      wrong(`含未约定的字段 ${field}`, `it shows ${field}, which was not agreed`)
    }
  }
}

/** Unverified: the gateway only forwards codes; who signs for whom is the verifiers' trust list's matter. */
function claimsOf(code: string): { iss: string; hom: string } {
  try {
    const payload: unknown = JSON.parse(Buffer.from(code.split('.')[1] ?? '', 'base64url').toString('utf8'))
    return claims.parse(payload)
  } catch {
    throw new CheckFault({ zh: '码不是约定的签名格式', en: 'the code is not a signed code as agreed' })
  }
}

const fieldsOf = ({ issues }: z.ZodError): string =>
  [...new Set(issues.map(({ path }) => path.join('.') || 'body'))].join(', ')
