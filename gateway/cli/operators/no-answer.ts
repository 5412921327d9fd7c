// Why no answer came from a gateway, in words that say what to do about it.
import { errorCode, errorText } from '../../model/errors.ts'
import { CommandFailure, exitCodes } from './failure.ts'
import type { Words } from './language.ts'

/** No answer, or one that broke off. */
export class NoAnswer extends CommandFailure {
  /** A change was sent, and whether it was carried out is not known. */
  readonly mayBeDone: boolean

  constructor(words: Words, mayBeDone: boolean) {
    super(exitCodes.failed, words)
    this.mayBeDone = mayBeDone
  }
}

/** @param changing Whether the request was to change something. */
export function noAnswer(url: URL, cause: unknown, changing: boolean): NoAnswer {
  const code = codeOf(cause)
  const known = reasons[code]
  if (known !== undefined) return new NoAnswer(known(url.origin), false)
  const detail = errorText(cause)
  const lost = changing
    ? {
        en: '; it may have been carried out all the same: look before you repeat it',
        zh: '；操作可能已经生效，重复之前请先查看',
      }
    : { en: '', zh: '' }
  return new NoAnswer(
    {
      en: `the answer of ${url.origin} was lost (${detail})${lost.en}`,
      zh: `${url.origin} 的应答丢失（${detail}）${lost.zh}`,
    },
    changing,
  )
}

/** Where several addresses of one name were tried, the first one's reason. */
const codeOf = (cause: unknown): string =>
  cause instanceof AggregateError ? errorCode(cause.errors[0]) : errorCode(cause)

const notThere = (origin: string): Words => ({
  en: `no gateway answers at ${origin}; start one (chiyuan gateway), or name another by --url or CHIYUAN_URL (the demo’s: --url http://127.0.0.1:8081)`,
  zh: `${origin} 没有网关应答；请启动网关（chiyuan gateway），或以 --url、CHIYUAN_URL 指定（演示：--url http://127.0.0.1:8081）`,
})

const unknownName = (origin: string): Words => ({
  en: `${origin}: there is no such host; is the name in --url right?`,
  zh: `${origin}：找不到该主机，请检查 --url`,
})

const notBelieved = (origin: string): Words => ({
  en: `${origin}: its certificate is by an authority that is not believed here; give that authority by --ca FILE`,
  zh: `${origin}：证书的签发机构不受信任；请以 --ca 指定该机构证书`,
})

const notTls = (origin: string): Words => ({
  en: `${origin}: it does not speak TLS; is it http:// instead?`,
  zh: `${origin}：对方未使用 TLS；是否应为 http://？`,
})

/** Before anything was sent. */
const reasons: Readonly<Record<string, (origin: string) => Words>> = {
  ECONNREFUSED: notThere,
  EHOSTUNREACH: notThere,
  ENETUNREACH: notThere,
  UND_ERR_CONNECT_TIMEOUT: notThere,
  ENOTFOUND: unknownName,
  EAI_AGAIN: unknownName,
  DEPTH_ZERO_SELF_SIGNED_CERT: notBelieved,
  SELF_SIGNED_CERT_IN_CHAIN: notBelieved,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: notBelieved,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: notBelieved,
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
  ERR_TLS_CERT_ALTNAME_INVALID: (origin) => ({
    en: `${origin}: its certificate is for another name; use in --url the name that the certificate has`,
    zh: `${origin}：证书与主机名不符；--url 中请使用证书上的名称`,
  }),
  CERT_HAS_EXPIRED: (origin) => ({
    en: `${origin}: its certificate has run out; the gateway takes a new one from its files without a restart`,
    zh: `${origin}：证书已过期；更换证书文件后网关无需重启`,
  }),
}
