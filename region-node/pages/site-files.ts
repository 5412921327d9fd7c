// The pages as they are sent: read where they were built with the package, bundled now where this runs from source.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, gzip } from 'node:zlib'

export interface SiteFile {
  readonly type: string
  readonly etag: string
  /** By `Content-Encoding`. */
  readonly bodies: Readonly<Record<'identity' | 'gzip' | 'br', Uint8Array>>
}

/** By the path at which each is served. */
export type Site = ReadonlyMap<string, SiteFile>

const built = fileURLToPath(new URL('./built', import.meta.url))

/** A page's file has the extension that its path lacks. */
export const fileNameOf = (path: string): string =>
  path === '/' ? 'index.html' : path === '/checkpoint' ? 'checkpoint.html' : path.slice(1)

const pathOf = (fileName: string): string =>
  fileName === 'index.html' ? '/' : fileName === 'checkpoint.html' ? '/checkpoint' : `/${fileName}`

export async function loadSite(): Promise<Site> {
  const files = import.meta.url.endsWith('.ts') ? await bundled() : await readBuilt()
  const made = [...files].map(async ([path, bytes]) => [path, await siteFile(path, bytes)] as const)
  return new Map(await Promise.all(made))
}

/** So that whoever changes a page sees it at the next start, and nobody has to build anything. */
const bundled = async (): Promise<ReadonlyMap<string, Uint8Array>> =>
  (await import('./bundle.ts')).bundlePages()

async function readBuilt(): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = await readdir(built, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const read = files.map(async ({ parentPath, name }) => {
    const file = join(parentPath, name)
    return [pathOf(file.slice(built.length + 1).replaceAll('\\', '/')), await readFile(file)] as const
  })
  return new Map(await Promise.all(read))
}

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
}

const [toGzip, toBrotli] = [promisify(gzip), promisify(brotliCompress)]

async function siteFile(path: string, bytes: Uint8Array): Promise<SiteFile> {
  const [zipped, brotli] = await Promise.all([toGzip(bytes, { level: 9 }), toBrotli(bytes)])
  return {
    type: types[extname(path)] ?? 'text/html; charset=utf-8',
    etag: createHash('sha256').update(bytes).digest('base64url').slice(0, 22),
    bodies: { identity: bytes, gzip: zipped, br: brotli },
  }
}
