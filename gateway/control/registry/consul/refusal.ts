// What went wrong between us and Consul, in words that name the cause and what to do about it.
import { errorCode, errorText } from '../../../model/errors.ts'

/**
 * @param cause Of the client; its message is quoted, nothing else of it.
 * @param status HTTP status of Consul's answer; `null` where none came.
 * @param section Of the configuration, which names it.
 */
export function inWords(
  cause: unknown,
  address: string,
  status: number | null,
  section = 'registry',
): string {
  const who = `Consul at ${address}`
  const detail = shortened(cause)
  if (status === 401 || status === 403) {
    return `${who} refuses the token (${status}: ${detail}); check ${section}.tokenFile and the token's policy`
  }
  if (status === 413) return `${who} refuses the size of the request (413)`
  if (status !== null) return `${who} answered ${status} (${detail}); see whether its servers have a leader`
  if (named(cause, 'isTimeout')) return `${who} did not answer in time (${detail}); see whether it hangs`
  if (named(cause, 'isCodec'))
    return `${who} answered what is no JSON; see whether ${section}.address is Consul's`
  if (named(cause, 'issues')) {
    return `${who} answered what is no answer of Consul's; see whether ${section}.address is Consul's`
  }
  const code = errorCode(cause)
  return code.startsWith('E')
    ? `${who} can't be reached (${code}); see whether it runs and ${section}.address is right`
    : `${who} can't be asked (${detail})`
}

const named = (cause: unknown, flag: string): boolean =>
  typeof cause === 'object' && cause !== null && flag in cause

/** Without the operation's name that the client puts before. */
const shortened = (cause: unknown): string =>
  errorText(cause)
    .replace(/^consul: (?:[\w.]+: )?/, '')
    .slice(0, 200)
