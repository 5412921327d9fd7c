// One HTTP/1.1 answer from the text of a connection: as much of RFC 9112 as gateways on loopback use.

export interface ReadAnswer {
  readonly status: number
  readonly body: string
  /** The connection may be used again. */
  readonly keeps: boolean
}

/**
 * @param text All since the request, latin1.
 * @param isOver The other side has closed: an answer without a length is whole.
 * @returns Null while the answer isn't whole.
 */
export function readAnswer(text: string, isOver: boolean): ReadAnswer | null {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return null
  const head = text.slice(0, end + 2)
  const status = Number(head.slice(9, 12))
  // 103 and its like come before the answer.
  if (status < 200) return readAnswer(text.slice(end + 4), isOver)
  const body = text.slice(end + 4)
  const keeps = head.startsWith('HTTP/1.1') && !/\r\nconnection: *close\r\n/i.test(head)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length !== undefined) return body.length < Number(length) ? null : { status, body, keeps }
  if (/\r\ntransfer-encoding: *chunked\r\n/i.test(head)) {
    return body === '0\r\n\r\n' || body.endsWith('\r\n0\r\n\r\n') ? { status, body, keeps } : null
  }
  if (status === 204 || status === 304) return { status, body: '', keeps }
  return isOver ? { status, body, keeps: false } : null
}
