// Verifies an enrolment against the nodes themselves, as often as wanted: each check by name, then a measured ramp.
import type { Enrolment, EnrolmentTerms, VerificationRecord } from '../../model/enrolment.ts'
import type { RegionId } from '../../model/ids.ts'
import type { CodeNode } from '../../model/region.ts'
import type {
  Check,
  CheckName,
  Text,
  VerificationProgress,
  VerificationReport,
} from '../../model/verification.ts'
import { codeNode } from '../../policy/code-node.ts'
import { rampPlan } from '../../policy/verification-ramp.ts'
import { type AskNode, nodeAsker } from '../health/ask-node.ts'
import { hashOfTerms, reasonLength, reasonsAtMost } from '../intent/enrolments.ts'
import type { NodeConnector } from '../node-tls/connect.ts'
import type { Finding } from './finding.ts'
import { type Answer, CheckFault, get } from './get.ts'
import { rampUp } from './ramp.ts'
import { rampFinding } from './ramp-finding.ts'
import { checkClock, checkConnect, checkTls } from './reach.ts'
import { checkCode, checkData, checkReady, readinessOf } from './serve.ts'
import { type VerificationSettings, verificationSettings } from './settings.ts'

export interface VerifyOptions {
  readonly connector: NodeConnector
  readonly signal: AbortSignal
  /** Told of every check as it begins and ends, and of every step of the ramp. */
  readonly progress: (event: VerificationProgress) => void
  readonly settings?: VerificationSettings
}

/** Changes nothing anywhere: the report is for {@link recordOf} and for people. Never rejects for what a node does. */
export async function verify(enrolment: Enrolment, options: VerifyOptions): Promise<VerificationReport> {
  const { id, terms } = enrolment
  const startedAt = Date.now()
  const run = new Verification(terms, options)
  await run.all()
  const { checks } = run
  const isAborted = options.signal.aborted
  const failed = checks.filter(({ outcome }) => outcome === 'failed')
  return {
    enrolment: id,
    termsHash: hashOfTerms(terms),
    startedAt,
    endedAt: Date.now(),
    verdict: isAborted ? 'aborted' : failed.length > 0 ? 'failed' : 'passed',
    reasons: isAborted ? [brokenOff] : reasonsOf(checks),
    checks,
  }
}

/** What the enrolment keeps of it; `null` of one that was broken off, which decides nothing. */
export const recordOf = ({
  endedAt,
  reasons,
  termsHash,
  verdict,
}: VerificationReport): VerificationRecord | null =>
  verdict === 'aborted'
    ? null
    : {
        passed: verdict === 'passed',
        termsHash,
        at: endedAt,
        reasons: reasons.slice(0, reasonsAtMost).map(({ en, zh }) => `${en} ${zh}`.slice(0, reasonLength)),
      }

const brokenOff: Text = { zh: '核验被中止', en: 'the verification was broken off' }

const tooLong = (ms: number): Finding => ({
  outcome: 'failed',
  detail: {
    zh: `全部检查超过 ${ms / 1000} 秒；请减少节点或地区，或等节点恢复速度后重试`,
    en: `all checks together took more than ${ms / 1000} s; enrol fewer nodes or homes at once, or try when the nodes are quicker`,
  },
  measured: {},
})

/** What failed; of a pass, what was left out. */
function reasonsOf(checks: readonly Check[]): Text[] {
  const failed = checks.filter(({ outcome }) => outcome === 'failed')
  const told = failed.length > 0 ? failed : checks.filter(({ outcome }) => outcome === 'skipped')
  return told.map(({ detail, name, node }) => ({
    zh: `${name}${node === null ? '' : `（${node}）`}：${detail.zh}`,
    en: `${name}${node === null ? '' : ` of ${node}`}: ${detail.en}`,
  }))
}

class Verification {
  readonly checks: Check[] = []
  private readonly terms: EnrolmentTerms
  private readonly options: VerifyOptions
  private readonly settings: VerificationSettings
  private readonly ask: AskNode
  private readonly late: AbortSignal

  constructor(terms: EnrolmentTerms, options: VerifyOptions) {
    this.terms = terms
    this.options = options
    this.settings = options.settings ?? verificationSettings
    this.ask = nodeAsker(options.connector)
    this.late = AbortSignal.timeout(this.settings.checksMs)
  }

  async all(): Promise<void> {
    const { donor, nodes, tls } = this.terms
    const described = nodes.map((node) =>
      codeNode({
        ...node,
        region: donor.code,
        limit: node.limit ?? Infinity,
        trust: tls,
        isEnrolled: true,
      }),
    )
    for (const node of described) {
      if (!this.late.aborted) await this.node(node)
    }
    await this.check('ramp', null, () => this.ramp(described))
  }

  /** A node that can't be reached or believed is asked nothing more. */
  private async node(node: CodeNode): Promise<void> {
    const { connector } = this.options
    const { leastCertificateMs, mostSkewMs, timeoutMs } = this.settings
    const bounds = { timeoutMs, signal: this.checking }
    const before = this.checks.length
    await this.check('connect', node, () => checkConnect(node, connector, bounds))
    await this.check('tls', node, () => checkTls(node, connector, { ...bounds, leastCertificateMs }))
    if (this.checks.slice(before).some(({ outcome }) => outcome === 'failed')) return
    let ready: Answer | null = null
    await this.check('clock', node, async () => {
      ready = await this.get(node, '/readyz')
      return checkClock(ready, mostSkewMs)
    })
    await this.check('ready', node, async () => {
      const readiness = readinessOf(ready ?? (await this.get(node, '/readyz')))
      return checkReady(readiness, this.terms, await this.readyFor(node))
    })
    await this.check('data', node, async () =>
      checkData(readinessOf(ready ?? (await this.get(node, '/readyz'))), this.terms),
    )
    await this.check('code', node, () => this.codes(node))
  }

  private async readyFor(node: CodeNode): Promise<Map<RegionId, Answer>> {
    const answers = new Map<RegionId, Answer>()
    for (const home of this.terms.homes) answers.set(home, await this.get(node, `/readyz?home=${home}`))
    return answers
  }

  private async codes(node: CodeNode): Promise<Finding> {
    const { homes } = this.terms
    for (const home of homes) {
      checkCode(await this.get(node, `/v1/codes/${this.settings.testResident(home)}`), home, this.terms)
    }
    const detail = {
      zh: `为 ${homes.join('、')} 的测试居民出示了合约定的码`,
      en: `it shows codes as agreed for test residents of ${homes.join(', ')}`,
    }
    return { outcome: 'passed', detail, measured: { codes: homes.length } }
  }

  private async ramp(nodes: readonly CodeNode[]): Promise<Finding> {
    if (this.checks.some(({ outcome }) => outcome === 'failed')) {
      const detail = { zh: '前面的检查未通过，不加压', en: 'not loaded: an earlier check failed' }
      return { outcome: 'skipped', detail, measured: {} }
    }
    const { connector, progress, signal } = this.options
    const { ask, settings, terms } = this
    const plan = rampPlan(terms.limit.rps, settings)
    const result = await rampUp(nodes, terms, plan, { connector, ask, settings, signal, progress })
    return rampFinding(result, terms.limit.rps, settings.mostRps)
  }

  private get(node: CodeNode, path: string): Promise<Answer> {
    return get(this.ask, node, path, { ...this.settings, signal: this.checking })
  }

  /** Ends the checks: broken off, or out of time. */
  private get checking(): AbortSignal {
    return AbortSignal.any([this.options.signal, this.late])
  }

  private async check(name: CheckName, node: CodeNode | null, find: () => Promise<Finding>): Promise<void> {
    const { progress, signal } = this.options
    if (signal.aborted) return
    progress({ kind: 'began', name, node: node?.id ?? null })
    const finding = await find().catch((cause: unknown): Finding => {
      if (name !== 'ramp' && this.late.aborted && !signal.aborted) return tooLong(this.settings.checksMs)
      if (cause instanceof CheckFault) return { outcome: 'failed', detail: cause.text, measured: {} }
      // Broken off, or a fault of our own, which must not look like the donor's.
      if (signal.aborted) return { outcome: 'skipped', detail: brokenOff, measured: {} }
      throw cause
    })
    const isCut = signal.aborted && finding.outcome === 'failed'
    const check: Check = {
      name,
      node: node?.id ?? null,
      ...(isCut ? { outcome: 'skipped', detail: brokenOff, measured: {} } : finding),
    }
    this.checks.push(check)
    progress({ kind: 'ended', check })
  }
}
