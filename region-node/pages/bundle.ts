// Bundles the pages: their scripts, their style, and the service worker that opens them without a network.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { BuildOptions, Plugin } from 'esbuild'

/** Files by the path at which they are served. */
export type PageFiles = ReadonlyMap<string, Uint8Array>

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const options = {
  bundle: true,
  format: 'esm',
  minify: true,
  // Phones of the last five years.
  target: ['es2022', 'safari16'],
  platform: 'browser',
  legalComments: 'eof',
  charset: 'utf8',
  write: false,
  logLevel: 'silent',
} satisfies BuildOptions

/** Needs esbuild, which the published package does not bring: that has the pages built. */
export async function bundlePages(): Promise<PageFiles> {
  const files = new Map<string, Uint8Array>(await scriptsAndStyle())
  for (const [path, source] of [
    ['/', 'resident.html'],
    ['/checkpoint', 'checkpoint.html'],
    ['/icon.svg', 'icon.svg'],
    ['/manifest.webmanifest', 'manifest.webmanifest'],
  ] as const) {
    const text = await readFile(here(`./site/${source}`), 'utf8')
    files.set(path, Buffer.from(withNames(text, [...files.keys()])))
  }
  files.set('/service-worker.js', await serviceWorker(files))
  return files
}

/** The verifier's messages are for programs; zod's fifty translations of them would be most of the page. */
const withoutLanguages: Plugin = {
  name: 'without-languages',
  setup: (building) => {
    building.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: 'export {}' }))
  },
}

/** Named by their content, so that they may be cached for ever. */
async function scriptsAndStyle(): Promise<[string, Uint8Array][]> {
  // One by one: sharing parts would bring to a resident's phone what only a checkpoint needs.
  const built = await Promise.all(
    ['./browser/resident.ts', './browser/checkpoint.ts', './site/style.css'].map(bundled),
  )
  return built.flat()
}

async function bundled(entry: string): Promise<[string, Uint8Array][]> {
  const { outputFiles } = await build({
    ...options,
    entryPoints: [here(entry)],
    splitting: true,
    plugins: [withoutLanguages],
    entryNames: '[name]-[hash]',
    chunkNames: 'part-[hash]',
    outdir: here('./built/pages'),
  })
  return outputFiles.map(({ path, contents }) => [`/pages/${basename(path)}`, contents])
}

/** `{{resident.js}}` becomes the name with its hash; relative, since a page may lie below a prefix. */
const withNames = (text: string, paths: readonly string[]): string =>
  text.replaceAll(/\{\{(\w+)\.(\w+)\}\}/g, (_, name: string, extension: string) => {
    const found = paths.find((path) => path.startsWith(`/pages/${name}-`) && path.endsWith(`.${extension}`))
    if (found === undefined) throw new Error(`the pages have no ${name}.${extension}`)
    return found.slice(1)
  })

async function serviceWorker(files: PageFiles): Promise<Uint8Array> {
  const hash = createHash('sha256')
  for (const [path, bytes] of files) hash.update(path).update(bytes)
  const { outputFiles } = await build({
    ...options,
    format: 'iife',
    entryPoints: [here('./worker/service-worker.ts')],
    define: {
      // Relative to the scope: '' is the page at its root.
      PAGE_FILES: JSON.stringify([...files.keys()].map((path) => path.slice(1))),
      PAGE_VERSION: JSON.stringify(hash.digest('base64url').slice(0, 16)),
    },
  })
  const [worker] = outputFiles
  if (worker === undefined) throw new Error('esbuild made no service worker')
  return worker.contents
}
