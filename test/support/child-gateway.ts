// A gateway in a process of its own, so that its memory is its own.
import { fork } from 'node:child_process'
import { once } from 'node:events'

export interface ChildGateway extends AsyncDisposable {
  readonly port: number
  /** Resident memory in bytes, after a collection of garbage. */
  rss(): Promise<number>
}

export async function childGateway(nodeUrl: string): Promise<ChildGateway> {
  const child = fork(new URL('gateway-process.ts', import.meta.url), [nodeUrl], { execArgv: ['--expose-gc'] })
  const next = async (): Promise<number> => {
    const [message]: unknown[] = await once(child, 'message')
    return Number(message)
  }
  const port = await next()
  return {
    port,
    rss() {
      const answer = next()
      child.send('rss')
      return answer
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}
