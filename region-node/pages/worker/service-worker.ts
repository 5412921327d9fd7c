// Keeps the pages on the phone, so that they open when nothing answers. Codes and lists are the pages' own business.

// Put in when the pages are bundled.
declare const PAGE_FILES: readonly string[]
declare const PAGE_VERSION: string

const cachePrefix = 'chiyuan-pages-'
const cacheName = cachePrefix + PAGE_VERSION

// Started as a classic worker, whose global has another type than the library's default.
declare const self: ServiceWorkerGlobalScope

self.addEventListener('install', (event) => {
  event.waitUntil(keepPages())
})

self.addEventListener('activate', (event) => {
  event.waitUntil(dropOlder())
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  if (request.method !== 'GET') return
  const url = new URL(request.url)
  if (!kept.has(url.origin + url.pathname)) return
  event.respondWith(keptOrFetched(request, url))
})

/** Absolute addresses: the scope may lie below a prefix, such as /r/610400/. */
const kept = new Set(PAGE_FILES.map((file) => new URL(file, self.registration.scope).href))

/** All or nothing: a node of another release has other files, and a mixture would not run. */
async function keepPages(): Promise<void> {
  const cache = await caches.open(cacheName)
  await cache.addAll([...kept].map((url) => new Request(url, { cache: 'no-cache' })))
  await self.skipWaiting()
}

async function dropOlder(): Promise<void> {
  const older = (await caches.keys()).filter((name) => name.startsWith(cachePrefix) && name !== cacheName)
  await Promise.all(older.map((name) => caches.delete(name)))
  await self.clients.claim()
}

/** First what is kept: it opens at once on a bad line, and a crowd that opens its codes loads no page. */
async function keptOrFetched(request: Request, { origin, pathname }: URL): Promise<Response> {
  const cache = await caches.open(cacheName)
  return (await cache.match(origin + pathname)) ?? fetch(request)
}

// Makes this a module, so that `self` above is its own.
// oxlint-disable-next-line unicorn/require-module-specifiers
export {}
