// Ends HTTP/2 clients that make work and take none of it. PING, SETTINGS and CONTINUATION floods end at Node's parser.
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'

/** A browser that leaves a page resets what was open, twice over if it comes back at once; nobody does so for long. */
const resetsAtOnce = 256
const resetsPerSecond = 33
/** Least that is taken of a waiting answer in the time allowed: how far it got inside one write is not told. */
const takenAtLeast = 65_536

/**
 * @param unreadMs Longest time that each 64 KiB of a waiting answer may take. Silence with nothing to send, as in an
 * event stream, is none of this.
 */
export function endFloods(session: ServerHttp2Session, unreadMs: number): void {
  const spendReset = resetAllowance(session)
  const open = new Map<ServerHttp2Stream, Unread>()
  const sweep = setInterval(() => endUnread(session, open, unreadMs), unreadMs / 2)
  sweep.unref()
  session.once('close', () => clearInterval(sweep))
  session.on('stream', (stream: ServerHttp2Stream) => {
    open.set(stream, { bytes: 0, since: 0 })
    stream.once('close', () => {
      open.delete(stream)
      if (wasReset(stream)) spendReset()
    })
  })
}

/** By its client: an answer that had begun may also have been broken off by us. */
const wasReset = ({ headersSent, rstCode }: ServerHttp2Stream): boolean =>
  !headersSent || (rstCode !== constants.NGHTTP2_NO_ERROR && rstCode !== constants.NGHTTP2_INTERNAL_ERROR)

/** What waits to be taken by the client, and since when it is as much. */
interface Unread {
  bytes: number
  since: number
}

function endUnread(
  session: ServerHttp2Session,
  open: ReadonlyMap<ServerHttp2Stream, Unread>,
  unreadMs: number,
): void {
  const now = performance.now()
  for (const [stream, unread] of open) {
    const bytes = stream.writableLength
    if (bytes === 0 || bytes !== unread.bytes) {
      unread.bytes = bytes
      unread.since = now
    } else if (now - unread.since > unreadMs * Math.ceil(bytes / takenAtLeast)) {
      // Of a refusal the stream is closed already, as soon as it has been read: there is no resetting that.
      if (stream.closed) endSession(session)
      else stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    }
  }
}

function resetAllowance(session: ServerHttp2Session): () => void {
  let allowance = resetsAtOnce
  let countedAt = performance.now()
  return () => {
    const now = performance.now()
    allowance = Math.min(resetsAtOnce, allowance + ((now - countedAt) / 1000) * resetsPerSecond) - 1
    countedAt = now
    // The parser keeps count too, but goes on through what it was given at once: thousands of requests.
    if (allowance < 0) endSession(session)
  }
}

function endSession(session: ServerHttp2Session): void {
  if (session.destroyed) return
  session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM)
  session.destroy()
}
