// What each refusal and failure of ours says, in both languages: what happened, and what the sender can do.
import type { Refusal } from '../model/events.ts'

/** Why there is no answer from a node: turned away before, or no level could give one. */
export type Reason =
  | Refusal
  | 'overloaded'
  | 'unavailable'
  | 'upstream-failed'
  | 'upstream-timeout'
  | 'internal'

export interface Text {
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

export const texts: Record<Reason, Text> = {
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
  'document-number': {
    status: 422,
    title: 'The document number is not valid',
    titleZh: '证件号码有误',
    detail: 'Check every digit and enter it again.',
    detailZh: '请逐位核对证件号码后重新填写。',
  },
  'document-misplaced': {
    status: 400,
    title: 'A document number stands where none may',
    titleZh: '证件号码出现在不允许的位置',
    detail: 'To protect you the request was not passed on. Enter the number only in the field meant for it.',
    detailZh: '为保护个人信息，请求未被转发。请仅在指定的栏目中填写证件号码。',
  },
  'body-type': {
    status: 415,
    title: 'Only JSON is taken here',
    titleZh: '此处仅接受 JSON 内容',
    detail: 'Send it as application/json in UTF-8, not compressed.',
    detailZh: '请以未压缩的 UTF-8 编码 application/json 提交。',
  },
  'body-json': {
    status: 400,
    title: 'The request body is not valid JSON',
    titleZh: '请求内容不是有效的 JSON',
    detail: 'Correct it and send it again.',
    detailZh: '请修正后重新提交。',
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
