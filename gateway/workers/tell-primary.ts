// The way from a worker to its primary.
import type { FromWorker } from './messages.ts'

/** Resolves once the system has taken the message, or at once where the primary is gone: then nobody listens. */
export function tellPrimary(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve()
    // An error means that the channel has closed; the worker hears of that by itself and ends.
    else process.send(message, undefined, undefined, () => resolve())
  })
}
