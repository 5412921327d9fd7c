// The pages that people open: a resident's code at /, a checkpoint at /checkpoint, and what both are made of.
import type { Request, Response } from 'express'
import type { RegionNodeLog } from '../options.ts'
import { loadSite } from '../pages/site-files.ts'
import type { Site, SiteFile } from '../pages/site-files.ts'
import { ProblemError, retryAfter } from './problem.ts'
import type { Route } from './routes.ts'

const PATHS = ['/', '/checkpoint', '/icon.svg', '/manifest.webmanifest', '/service-worker.js', '/pages/:file']

/** Nothing from elsewhere, and no script in the page itself: what a resident's name could inject would not run. */
const CONTENT_SECURITY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; media-src 'self' blob:; base-uri 'none'; form-action 'none'; " +
  "frame-ancestors 'none'"

/** Loaded once, when the first is asked for. Not in the contract: another vendor's pages are his own. */
export function pageRoutes(log: RegionNodeLog): Route[] {
  let loading: Promise<Site> | undefined
  const site = (): Promise<Site> => (loading ??= loadSite())
  return PATHS.map((path) => ({
    path,
    docs: {},
    get: async (req, res) => {
      const files = await site().catch((error: unknown) => {
        // To be tried again, and told of: a package without its pages is a fault of the package.
        loading = undefined
        log.error({ kind: error instanceof Error ? error.name : typeof error }, 'the pages can’t be loaded')
        throw withoutPages()
      })
      const file = files.get(req.path)
      if (file === undefined)
        throw new ProblemError({ status: 404, code: 'unknown-route', title: 'Not found' })
      send(req, res, file)
    },
  }))
}

const withoutPages = (): ProblemError =>
  new ProblemError({
    status: 503,
    code: 'not-published',
    title: 'This node has no pages',
    detail: 'It runs from source without esbuild; run npm ci, or use the published package.',
    headers: retryAfter(),
  })

function send(req: Request, res: Response, { type, etag, bodies }: SiteFile): void {
  const encoding = req.acceptsEncodings('br', 'gzip', 'identity') || 'identity'
  const body = encoding === 'br' || encoding === 'gzip' ? bodies[encoding] : bodies.identity
  const tag = `"${etag}-${encoding}"`
  const headers = { ...securityFor(req.path), ...cachingFor(req.path), etag: tag, vary: 'Accept-Encoding' }
  if (req.headers['if-none-match']?.split(',').some((known) => known.trim().replace(/^W\//, '') === tag)) {
    res.writeHead(304, headers).end()
    return
  }
  const encoded = encoding === 'identity' ? {} : { 'content-encoding': encoding }
  res.writeHead(200, { ...headers, ...encoded, 'content-type': type, 'content-length': body.byteLength })
  res.end(body)
}

/** What is named by its content never changes. The rest is asked for anew, and better old than not at all. */
const cachingFor = (path: string): Record<string, string> => ({
  'cache-control': path.startsWith('/pages/')
    ? 'public, max-age=31536000, immutable'
    : 'public, no-cache, stale-if-error=86400',
})

const securityFor = (path: string): Record<string, string> => ({
  'content-security-policy': CONTENT_SECURITY,
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': path === '/checkpoint' ? 'camera=(self)' : 'camera=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
})
