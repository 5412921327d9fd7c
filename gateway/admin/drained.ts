// Waiting for whoever reads an answer slowly.
import type { Response } from 'express'

/**
 * Resolves when more may be written, or nobody reads any more, or `ended` aborts. Leaves no listener.
 */
export const drained = (response: Response, ended?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      ended?.removeEventListener('abort', done)
      resolve()
    }
    if (ended?.aborted === true) return resolve()
    response.on('drain', done).on('close', done)
    ended?.addEventListener('abort', done)
  })
