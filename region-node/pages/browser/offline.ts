// Has the pages kept by the service worker, where the browser has one and the address is trusted.

/** Fails silently: without it the page works as long as it stays open. */
export function keepPagesOffline(): void {
  if (!('serviceWorker' in navigator)) return
  navigator.serviceWorker.register('service-worker.js').catch(() => undefined)
}
