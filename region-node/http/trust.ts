// What verifiers fetch beforehand: this region's public keys, the trust root, the trust list, the revocation lists.
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import type { CodeService } from '../service.ts'
import { jwksAnswer, revocationListsAnswer } from './answers.ts'
import { ProblemError } from './problem.ts'
import { sendText } from './reply.ts'
import type { Route } from './routes.ts'

/** Fresh for a minute; for a day still better than none, since each list says itself when it is too old. */
const CACHING = 'public, max-age=60, stale-if-error=86400'
const JWS_TYPE = 'application/jose'

export function trustRoutes({ authority, clock }: CodeService): Route[] {
  const etagOf = rememberedEtags()
  const published = (req: IncomingMessage, res: ServerResponse, text: string, type: string): void => {
    const headers = { etag: etagOf(text), 'cache-control': CACHING }
    if (isKnown(req.headers['if-none-match'], headers.etag)) res.writeHead(304, headers).end()
    else sendText(res, 200, text, type, headers)
  }
  return [
    {
      path: '/v1/jwks',
      docs: { get: { summary: 'Public keys of this region', answer: jwksAnswer, problems: [503] } },
      get: (req, res) => {
        const keys = authority.ring?.jwks(clock()) ?? missing('signing key', '--keys')
        published(req, res, JSON.stringify(keys), 'application/json')
      },
    },
    {
      path: '/v1/trust-root',
      docs: {
        get: {
          summary: 'Public key of the trust root; compare its thumbprint with one that came by another way',
          answer: z.looseObject({}),
          problems: [503],
        },
      },
      get: (req, res) =>
        published(req, res, authority.rootText ?? missing('trust root', '--trust-root'), 'application/json'),
    },
    {
      path: '/v1/trust-list',
      docs: {
        get: {
          summary: 'Signed trust list, a compact JWS',
          answer: z.string(),
          type: JWS_TYPE,
          problems: [503],
        },
      },
      get: (req, res) =>
        published(req, res, authority.lists.trust?.text ?? missing('trust list', '--trust-list'), JWS_TYPE),
    },
    {
      path: '/v1/revocation-lists',
      docs: {
        get: {
          summary: 'Signed revocation lists that this node holds',
          answer: revocationListsAnswer,
          problems: [],
        },
      },
      get: (req, res) => {
        const lists = [...authority.lists.revocations.values()].map(({ text }) => text)
        published(req, res, JSON.stringify({ lists }), 'application/json')
      },
    },
  ]
}

function missing(what: string, flag: string): never {
  throw new ProblemError({
    status: 503,
    code: 'not-published',
    title: `This node has no ${what}`,
    detail: `Its operator gives it one with ${flag}.`,
  })
}

/** Lists are long and change rarely, so each is hashed once. */
function rememberedEtags(): (text: string) => string {
  const known = new Map<string, string>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    if (known.size >= 8) known.clear()
    const made = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
    known.set(text, made)
    return made
  }
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2: weak comparison, or any. */
const isKnown = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined &&
  ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
