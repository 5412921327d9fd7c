// Whether a node can be reached, is who its trust says, and has the right time.
import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import { errorCode, errorText } from '../../model/errors.ts'
import type { CodeNode } from '../../model/region.ts'
import type { NodeConnector } from '../node-tls/connect.ts'
import { faultInWords } from '../node-tls/fault.ts'
import { type Answer, CheckFault } from './get.ts'
import type { Finding } from './finding.ts'

interface ReachBounds {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** DNS and TCP: both are named, since different people mend them. @throws {CheckFault} */
export async function checkConnect(
  node: CodeNode,
  connector: NodeConnector,
  bounds: ReachBounds,
): Promise<Finding> {
  const url = new URL(node.origin)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)
  const beganAt = performance.now()
  const addresses = isIP(host) === 0 ? await resolved(host, bounds) : [host]
  const dnsMs = Math.round(performance.now() - beganAt)
  const [first] = connector.allowed(node, addresses)
  if (first === undefined) {
    throw new CheckFault({
      zh: `${host} 的地址不允许登记；确需使用时，请在 enrolment.networks 中列出其网段`,
      en: `${host} is where no enrolled node may be; if it is meant, name its network under enrolment.networks`,
    })
  }
  const connectMs = await connected(first, port, bounds)
  return {
    outcome: 'passed',
    detail: {
      zh: `${host} 解析出 ${addresses.length} 个地址，TCP 已连接`,
      en: `${host} has ${addresses.length} address(es), TCP connects`,
    },
    measured: { addresses: addresses.length, dnsMs, connectMs },
  }
}

async function resolved(host: string, { timeoutMs, signal }: ReachBounds): Promise<string[]> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  // A lookup of the system can't be broken off; it is only not waited for.
  const gaveUp = new Promise<never>((_, reject) => {
    late.addEventListener('abort', () => reject(new Error(`no answer within ${timeoutMs} ms`)), {
      once: true,
    })
  })
  try {
    const found = await Promise.race([lookup(host, { all: true }), gaveUp])
    return found.map(({ address }) => address)
  } catch (cause) {
    const why = errorCode(cause) || errorText(cause)
    throw new CheckFault({
      zh: `域名 ${host} 无法解析：${why}`,
      en: `the name ${host} does not resolve: ${why}`,
    })
  }
}

function connected(host: string, port: number, { timeoutMs, signal }: ReachBounds): Promise<number> {
  return new Promise((resolve, reject) => {
    const beganAt = performance.now()
    const socket = connectTcp({ host, port, signal, timeout: timeoutMs })
    const fail = (why: string): void => {
      socket.destroy()
      reject(
        new CheckFault({
          zh: `端口 ${port} 的 TCP 连接失败：${why}`,
          en: `TCP to port ${port} fails: ${why}`,
        }),
      )
    }
    socket.once('timeout', () => fail(`${timeoutMs} ms`))
    socket.on('error', (cause) => fail(errorCode(cause) || errorText(cause)))
    socket.once('connect', () => {
      socket.destroy()
      resolve(Math.round(performance.now() - beganAt))
    })
  })
}

/** @throws {CheckFault} */
export async function checkTls(
  node: CodeNode,
  connector: NodeConnector,
  { leastCertificateMs, ...bounds }: ReachBounds & { readonly leastCertificateMs: number },
): Promise<Finding> {
  if (!node.origin.startsWith('https:')) {
    const detail = { zh: '明文 HTTP：无从证明身份', en: 'plain HTTP: nobody proves who answers' }
    return { outcome: 'skipped', detail, measured: {} }
  }
  const beganAt = performance.now()
  const socket = await connector.connect(node, bounds).catch((cause: unknown) => {
    const why = faultInWords(cause, true)
    throw new CheckFault({ zh: `TLS 不可信：${why}`, en: `TLS is not to be trusted: ${why}` })
  })
  const handshakeMs = Math.round(performance.now() - beganAt)
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
  const protocol = socket instanceof TLSSocket ? socket.getProtocol() : null
  socket.destroy()
  const leftMs = certificate === undefined ? 0 : Date.parse(certificate.validTo) - Date.now()
  const days = Math.floor(leftMs / 86_400_000)
  if (leftMs < leastCertificateMs) {
    throw new CheckFault({
      zh: `证书只剩 ${days} 天有效期`,
      en: `its certificate ends in ${days} day(s); renew it first`,
    })
  }
  return {
    outcome: 'passed',
    detail: {
      zh: `身份相符，证书还有 ${days} 天`,
      en: `it is who it should be; the certificate has ${days} days left`,
    },
    measured: { handshakeMs, certificateDays: days, protocol },
  }
}

/** By the `Date` of an answer, which names a whole second (RFC 9110 section 6.6.1). @throws {CheckFault} */
export function checkClock({ date, sentAt, headAt }: Answer, mostSkewMs: number): Finding {
  const told = date === undefined ? Number.NaN : Date.parse(date)
  if (Number.isNaN(told)) {
    throw new CheckFault({
      zh: '答复没有 Date，无法核对时钟',
      en: 'its answers carry no Date to know its clock by',
    })
  }
  // The second that it names may have been any moment of it, and was between sending and hearing.
  const skewMs = told > headAt ? told - headAt : told + 999 < sentAt ? told + 999 - sentAt : 0
  const seconds = Math.round(skewMs / 1000)
  if (Math.abs(skewMs) > mostSkewMs) {
    throw new CheckFault({
      zh: `时钟偏差 ${seconds} 秒，最多 ${mostSkewMs / 1000} 秒；请校时`,
      en: `its clock is ${seconds} s off ours, at most ${mostSkewMs / 1000} s are taken; set it right`,
    })
  }
  return {
    outcome: 'passed',
    detail: { zh: '时钟相符（精度 1 秒）', en: 'its clock agrees with ours, to a second' },
    measured: { skewMs },
  }
}
