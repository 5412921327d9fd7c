// Access tokens of an identity provider (RFC 9068, and JWTs like it): whose, still good, and for this API.
import { readFile } from 'node:fs/promises'
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  jwtVerify,
  type JWTVerifyOptions,
  type RemoteJWKSet,
} from 'jose'
import type { OidcSettings } from '../../../config/admin-schema.ts'
import { errorText, UsageError } from '../../model/errors.ts'
import type { Admission, Credentials } from './credentials.ts'
import { kindFault, operatorOf } from './oidc-claims.ts'
import { type KeyTimings, KeysUnreachable, ProviderKeys } from './provider-keys.ts'

const usualTimings: KeyTimings = {
  cooldownMs: 30_000,
  maxAgeMs: 600_000,
  retryMs: 5000,
  keepMs: 24 * 3_600_000,
  timeoutMs: 5000,
}

/** The signature stood, so its holder may be told what does not fit. */
const unfit: Readonly<Record<string, string>> = {
  iss: 'this access token is of another issuer (iss)',
  aud: 'this access token is for another API (aud)',
  nbf: 'this access token is not valid yet (nbf)',
  iat: 'this access token says that it was made in the future, or not when (iat)',
  exp: 'this access token does not say when it ends (exp)',
  sub: 'this access token does not say whose it is (sub)',
}

export class OidcTokens implements Credentials, AsyncDisposable {
  private readonly settings: OidcSettings
  private readonly provider: ProviderKeys
  private readonly keys: RemoteJWKSet
  private readonly wallNow: () => number

  private constructor(
    settings: OidcSettings,
    provider: ProviderKeys,
    timings: KeyTimings,
    wallNow: () => number,
  ) {
    this.settings = settings
    this.provider = provider
    this.wallNow = wallNow
    this.keys = createRemoteJWKSet(new URL(settings.jwksUri ?? settings.issuer), {
      cooldownDuration: timings.cooldownMs,
      cacheMaxAge: timings.maxAgeMs,
      timeoutDuration: timings.timeoutMs * 2,
      [customFetch]: async () => new Response(await provider.fetch()),
    })
  }

  /**
   * The provider is asked only when the first of its tokens comes.
   * @throws {UsageError} for a file of authorities that can't be read.
   */
  static async open(
    settings: OidcSettings,
    { wallNow, timings = usualTimings }: { readonly wallNow: () => number; readonly timings?: KeyTimings },
  ): Promise<OidcTokens> {
    const { issuer, jwksUri, caFile } = settings
    const ca = caFile === undefined ? undefined : await readAuthorities(caFile)
    return new OidcTokens(
      settings,
      new ProviderKeys({ issuer, jwksUri, ca }, timings, wallNow),
      timings,
      wallNow,
    )
  }

  countedAs(): string {
    return 'oidc'
  }

  /** One signature checked: nothing that could be guessed, and little work. */
  isCheap(): boolean {
    return true
  }

  async admit(token: string): Promise<Admission> {
    const { issuer, audience, algorithms, clockToleranceMs, longestAgeMs } = this.settings
    const options: JWTVerifyOptions = {
      issuer,
      audience,
      algorithms,
      clockTolerance: clockToleranceMs / 1000,
      maxTokenAge: longestAgeMs / 1000,
      requiredClaims: ['exp', 'iat', 'sub'],
      currentDate: new Date(this.wallNow()),
    }
    try {
      const { payload, protectedHeader } = await jwtVerify(token, this.keys, options)
      const fault = kindFault(protectedHeader.typ, payload)
      return fault === null ? operatorOf(payload, this.settings) : { unfit: fault }
    } catch (cause) {
      return this.refusalOf(cause)
    }
  }

  /** Why its keys could not be had last, or `null`. */
  get fault(): string | null {
    return this.provider.fault
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.provider[Symbol.asyncDispose]()
  }

  /** Never with the cause: jose’s errors hold the claims. */
  private refusalOf(cause: unknown): Admission {
    if (cause instanceof errors.JWTExpired) return { refused: 'expired' }
    if (cause instanceof errors.JWTClaimValidationFailed) {
      return { unfit: unfit[cause.claim] ?? 'this access token’s claims do not fit' }
    }
    const noKey =
      cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys
    if (noKey && this.provider.fault === null) return { refused: 'unknown' }
    if (!noKey && isOfToken(cause)) return { refused: 'unknown' }
    const why = cause instanceof KeysUnreachable ? `: ${cause.message}` : ''
    return {
      unavailable: `the identity provider’s keys can’t be had${why}; the gateway’s own tokens are good as before`,
    }
  }
}

/** Whether the token is at fault, and not the provider's keys. */
const isOfToken = (cause: unknown): boolean =>
  [
    errors.JWSSignatureVerificationFailed,
    errors.JWSInvalid,
    errors.JWTInvalid,
    errors.JOSEAlgNotAllowed,
    errors.JOSENotSupported,
  ].some((kind) => cause instanceof kind)

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new UsageError(`admin.oidc.caFile: ${file} can't be read (${errorText(cause)}); give a PEM file`, {
      cause,
    })
  }
}
