// An identity provider on loopback: keys that it publishes and changes, tokens that it signs, and how it fails.
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { oidc, type OidcSettings } from '../../config/admin-schema.ts'

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly secret: CryptoKey
  readonly jwk: JWK
}

export async function signingKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, secret: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

export interface Claims {
  readonly [name: string]: unknown
}

export class Issuer implements AsyncDisposable {
  readonly url: string
  /** What it publishes. */
  keys: readonly SigningKey[]
  /** Answers with this status instead, or with what is given. */
  broken: { readonly status: number; readonly body?: string } | null = null
  /** Takes requests and never answers. */
  hangs = false
  /** Times that its keys were asked for. */
  asked = 0
  private readonly server: Server

  private constructor(server: Server, url: string, keys: readonly SigningKey[]) {
    this.server = server
    this.url = url
    this.keys = keys
  }

  static async start(keys: readonly SigningKey[], tls?: { cert: string; key: string }): Promise<Issuer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const issuer = new Issuer(
      server,
      tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
      keys,
    )
    server.on('request', ({ url }, response) => {
      const metadata = { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }
      const isKeys = url === '/keys'
      if (isKeys) issuer.asked += 1
      if (issuer.hangs) return
      const text = JSON.stringify(isKeys ? { keys: issuer.keys.map(({ jwk }) => jwk) } : metadata)
      const { status, body } = { body: text, ...(issuer.broken ?? { status: 200 }) }
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(body)
    })
    return issuer
  }

  settings(changes: Partial<Record<keyof OidcSettings, unknown>> = {}): OidcSettings {
    return oidc.parse({
      issuer: this.url,
      audience: 'chiyuan',
      roles: { 'gw-admin': 'admin', 'gw-operator': 'operator', 'gw-viewer': 'viewer' },
      scopeClaim: 'regions',
      ...changes,
    })
  }

  /** A good access token, but for what is changed; `undefined` takes a claim away. */
  token(claims: Claims = {}, key = this.keys[0], header: Claims = {}): Promise<string> {
    if (key === undefined) throw new Error('the issuer has no key')
    const now = Math.floor(Date.now() / 1000)
    const usual = {
      iss: this.url,
      aud: 'chiyuan',
      sub: 'subject-1',
      name: '王 值班',
      roles: ['gw-operator'],
      regions: ['610000'],
      iat: now,
      exp: now + 300,
    }
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt', ...header })
      .sign(key.secret)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve))
    this.server.closeAllConnections()
    await closed
  }
}
