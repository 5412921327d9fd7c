// Ends answers that are longer than they may be: the client gathers whatever comes, and decodes it in one go.
import type { ClientRequest, IncomingMessage } from 'node:http'

/** What the client hands to whoever extends it, as far as it is of interest here. */
interface Asked {
  readonly opts: { readonly name?: string }
  transport: { request(options: object): ClientRequest }
}

/**
 * @param client Of the library `consul`.
 * @param mostBytes By the client's name of an operation, such as `health.service`; others have no bound.
 */
export function boundAnswers(client: object, mostBytes: Readonly<Record<string, number>>): void {
  const onRequest = (asked: Asked, next: () => void): void => {
    const most = mostBytes[asked.opts.name ?? '']
    const { transport } = asked
    if (most !== undefined)
      asked.transport = { request: (options) => bounded(transport.request(options), most) }
    next()
  }
  // It has no types for being extended.
  const extend: unknown = Reflect.get(client, '_ext')
  if (typeof extend !== 'function') throw new TypeError('this Consul client can’t be extended')
  Reflect.apply(extend, client, ['onRequest', onRequest])
}

function bounded(request: ClientRequest, most: number): ClientRequest {
  return request.on('response', (answer: IncomingMessage) => {
    let bytes = 0
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > most) request.destroy(new Error(`its answer is longer than ${most} bytes`))
    })
  })
}
