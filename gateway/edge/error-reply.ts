// What a resident or a client program is told when no node's answer can be given: a problem (RFC 9457) or a short page.
import { STATUS_CODES } from 'node:http'
import { retryAfterSeconds } from '../policy/shedding.ts'
import { type Reason, type Text, texts } from './error-texts.ts'
import { declineRest, endBody, endConnectionAfter, type PublicResponse, sendHead } from './http.ts'

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
