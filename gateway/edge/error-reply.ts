// What a resident or a client program is told when no node's answer can be given: a problem (RFC 9457) or a short page.
import { STATUS_CODES } from 'node:http'
import type { Refusal } from '../model/events.ts'
import { retryAfterSeconds } from '../policy/shedding.ts'
import { declineRest, endBody, endConnectionAfter, type PublicResponse, sendHead } from './http.ts'

/** Why there is no answer from a node: turned away before, or no level could give one. */
export type Reason =
  | Refusal
  | 'overloaded'
  | 'unavailable'
  | 'upstream-failed'
  | 'upstream-timeout'
  | 'internal'

interface Text {
  readonly status: number
  readonly title: string
  readonly titleZh: string
  /** What the sender can do. */
  readonly detail: string
  readonly detailZh: string
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number
}

const again = { detail: 'Please try again in a moment.', detailZh: '请稍候重试。' }

const texts: Record<Reason, Text> = {
  'bad-framing': {
    status: 400,
    title: 'The request is not well-formed HTTP',
    titleZh: '请求格式有误',
    detail: 'Its headers or its body framing are ambiguous. Send it again as plain HTTP/1.1 or HTTP/2.',
    detailZh: '请求头或消息体边界有歧义，请按标准 HTTP 重新发送。',
  },
  'bad-host': {
    status: 400,
    title: 'The Host header is missing, doubled or malformed',
    titleZh: 'Host 请求头缺失、重复或有误',
    detail: 'Send exactly one Host header with a host name.',
    detailZh: '请发送且仅发送一个正确的 Host 请求头。',
  },
  'bad-target': {
    status: 400,
    title: 'The request target is malformed',
    titleZh: '请求地址有误',
    detail: 'Ask for a path that begins with a slash.',
    detailZh: '请使用以斜线开头的路径。',
  },
  'unknown-host': {
    status: 421,
    title: 'This host name is not served here',
    titleZh: '此处不提供该域名的服务',
    detail: 'Check the address.',
    detailZh: '请检查网址。',
  },
  'unknown-home': {
    status: 404,
    title: 'No such region is served here',
    titleZh: '此处不提供该地区的服务',
    detail: 'Check the region code in the address.',
    detailZh: '请检查网址中的行政区划代码。',
  },
  method: {
    status: 405,
    title: 'This method is not allowed',
    titleZh: '不支持该请求方法',
    detail: 'TRACE and CONNECT are refused.',
    detailZh: '不接受 TRACE 和 CONNECT。',
  },
  upgrade: {
    status: 400,
    title: 'The upgrade request is malformed',
    titleZh: '协议升级请求有误',
    detail: 'Only WebSocket upgrades by GET are possible.',
    detailZh: '仅支持以 GET 发起的 WebSocket 升级。',
  },
  'headers-too-large': {
    status: 431,
    title: 'The request headers are too large',
    titleZh: '请求头过大',
    detail: 'Send fewer or shorter headers and cookies.',
    detailZh: '请减少或缩短请求头与 Cookie。',
  },
  'too-many-headers': {
    status: 431,
    title: 'The request has too many headers',
    titleZh: '请求头过多',
    detail: 'Send fewer headers.',
    detailZh: '请减少请求头数量。',
  },
  'uri-too-long': {
    status: 414,
    title: 'The request address is too long',
    titleZh: '请求地址过长',
    detail: 'Shorten the path or the query.',
    detailZh: '请缩短路径或查询参数。',
  },
  'body-too-large': {
    status: 413,
    title: 'The request body is too large',
    titleZh: '请求内容过大',
    detail: 'Send less at once.',
    detailZh: '请减少单次提交的内容。',
  },
  'slow-headers': {
    status: 408,
    title: 'The request took too long to arrive',
    titleZh: '请求接收超时',
    ...again,
  },
  'slow-body': {
    status: 408,
    title: 'The request body took too long to arrive',
    titleZh: '请求内容接收超时',
    ...again,
  },
  'too-many-connections': {
    status: 503,
    title: 'Too many connections at present',
    titleZh: '当前连接过多',
    ...again,
    retryAfter: 2,
  },
  'too-many-streams': {
    status: 503,
    title: 'Too many transfers at present',
    titleZh: '当前传输过多',
    ...again,
    retryAfter: 2,
  },
  loop: {
    status: 508,
    title: 'The request came back to where it has been',
    titleZh: '请求发生回环',
    detail: 'Two gateways send to each other; their operators must correct the regions.',
    detailZh: '网关之间互相转发，请联系运维人员修正配置。',
  },
  'too-many-hops': {
    status: 508,
    title: 'The request came through too many gateways',
    titleZh: '请求经过的网关过多',
    detail: 'Ask a gateway nearer to the region.',
    detailZh: '请直接访问所属地区的网关。',
  },
  expectation: {
    status: 417,
    title: 'The expectation cannot be met',
    titleZh: '无法满足 Expect 请求头',
    detail: 'Only Expect: 100-continue is possible.',
    detailZh: '仅支持 Expect: 100-continue。',
  },
  overloaded: {
    status: 503,
    title: 'Too many requests at present',
    titleZh: '当前访问人数过多',
    ...again,
    retryAfter: 3,
  },
  unavailable: {
    status: 503,
    title: 'The service is not available at present',
    titleZh: '服务暂时不可用',
    ...again,
    retryAfter: 3,
  },
  'upstream-failed': {
    status: 502,
    title: 'The request may not have been completed',
    titleZh: '请求可能未完成',
    detail: 'Check whether it took effect before you send it again.',
    detailZh: '重新提交前，请先确认上一次是否已生效。',
  },
  internal: {
    status: 500,
    title: 'The gateway failed on this request',
    titleZh: '网关处理该请求时出错',
    ...again,
  },
  'upstream-timeout': {
    status: 504,
    title: 'The answer took too long',
    titleZh: '响应超时',
    ...again,
    retryAfter: 3,
  },
}

export interface Audience {
  readonly method: string
  readonly accept: string
  readonly acceptLanguage: string
  readonly requestId: string
}

export interface ErrorReply {
  readonly status: number
  readonly headers: string[]
  readonly body: string
}

/** @param draw Uniform in [0, 1): spreads the return of those who are turned away together. */
export function errorReply(reason: Reason, audience: Audience, draw: number): ErrorReply {
  const text = texts[reason]
  const zh = prefersChinese(audience.acceptLanguage)
  const html = prefersHtml(audience.accept)
  const body = html ? page(text, zh, audience.requestId) : problem(reason, text, zh, audience.requestId)
  const headers = [
    'Content-Type',
    html ? 'text/html; charset=utf-8' : 'application/problem+json; charset=utf-8',
    'Content-Language',
    zh ? 'zh-CN' : 'en',
    'Content-Length',
    String(Buffer.byteLength(body)),
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    audience.requestId,
  ]
  if (text.retryAfter !== undefined) {
    headers.push('Retry-After', String(retryAfterSeconds(draw, text.retryAfter, text.retryAfter * 2)))
  }
  if (text.status === 405) headers.push('Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY')
  if (html) headers.push('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'")
  return { status: text.status, headers, body }
}

/** Answers with `reason`, unless an answer has begun. Returns whether it did. */
export function reply(
  response: PublicResponse,
  reason: Reason,
  audience: Audience,
  extra: readonly string[] = [],
): boolean {
  if (response.headersSent || response.writableEnded) return false
  const { status, headers, body } = errorReply(reason, audience, Math.random())
  if (extra.includes('close')) endConnectionAfter(response)
  sendHead(response, status, STATUS_CODES[status] ?? '', [...headers, ...extra])
  endBody(response, audience.method === 'HEAD' ? undefined : body)
  declineRest(response)
  return true
}

/** The answer as bytes, for connections on which no request could be read. */
export function rawReply(reason: Reason, audience: Audience): string {
  const { status, headers, body } = errorReply(reason, audience, Math.random())
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
  return `${head}Connection: close\r\n\r\n${body}`
}

/** RFC 9110 section 12.5.4, as far as a choice between two languages needs it. */
export function prefersChinese(acceptLanguage: string): boolean {
  if (acceptLanguage === '') return true
  let zh = -1
  let other = -1
  for (const [i, part] of acceptLanguage.toLowerCase().split(',').entries()) {
    const [tag = '', ...parameters] = part.trim().split(';')
    const q = parameters.find((parameter) => parameter.trim().startsWith('q='))
    const weight = (q === undefined ? 1 : Number(q.trim().slice(2)) || 0) - i / 1000
    if (tag.startsWith('zh') || tag === '*') zh = Math.max(zh, weight)
    else other = Math.max(other, weight)
  }
  return zh >= other
}

const prefersHtml = (accept: string): boolean => {
  const html = accept.indexOf('text/html')
  if (html === -1) return false
  const json = accept.search(/application\/(problem\+)?json/)
  return json === -1 || html < json
}

function problem(reason: Reason, text: Text, zh: boolean, requestId: string): string {
  return JSON.stringify({
    type: `urn:chiyuan:problem:${reason}`,
    title: zh ? text.titleZh : text.title,
    status: text.status,
    detail: zh ? text.detailZh : text.detail,
    requestId,
  })
}

function page(text: Text, zh: boolean, requestId: string): string {
  const [title, detail] = zh ? [text.titleZh, text.detailZh] : [text.title, text.detail]
  const [otherTitle, otherDetail] = zh ? [text.title, text.detail] : [text.titleZh, text.detailZh]
  const [language, otherLanguage] = zh ? ['zh-CN', 'en'] : ['en', 'zh-CN']
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>body{font:1.25rem/1.6 system-ui,sans-serif;max-width:32em;margin:10vh auto;padding:0 1em;color:#111;background:#fff}p.other{color:#444}small{color:#555}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${detail}</p>
<p class="other" lang="${otherLanguage}">${otherTitle}${otherLanguage === 'en' ? '. ' : '。'}${otherDetail}</p>
<p><small>${zh ? '编号' : 'Reference'} ${requestId}</small></p>
</main>
</body>
</html>
`
}
