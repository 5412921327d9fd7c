// Keep-alive load at a fixed concurrency, as fast as answers come: wrk, or a small Node client where wrk is missing.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { pathOf, phoneHeaders } from '../answer.ts'
import { temporaryFolder } from '../folder.ts'
import { findProgram } from '../machine.ts'
import { type Command, start } from '../processes.ts'

export const closedResult = z.object({
  /** Answers with status 200. */
  answered: z.number(),
  /** Other statuses, cut connections, no answer in time. */
  errors: z.number(),
  seconds: z.number(),
})
export type ClosedResult = z.output<typeof closedResult>

export interface ClosedLoad extends AsyncDisposable {
  readonly client: 'wrk' | 'node'
  run(port: number, seconds: number, signal: AbortSignal): Promise<ClosedResult>
}

/** @param connections Requests open at any time. */
export async function prepareClosedLoad(connections: number, cores: string | null): Promise<ClosedLoad> {
  const wrk = findProgram('wrk')
  const folder = await temporaryFolder('load')
  const script = join(folder.path, 'residents.lua')
  await writeFile(script, luaScript)
  const commandFor = (port: number, seconds: number): Command =>
    wrk === null
      ? {
          file: process.execPath,
          args: [clientScript, String(port), String(connections), String(seconds)],
          cores,
        }
      : {
          file: wrk,
          args: [
            '-t1',
            `-c${connections}`,
            `-d${seconds}s`,
            '--timeout=5s',
            `--script=${script}`,
            `http://127.0.0.1:${port}`,
          ],
          cores,
        }
  return {
    client: wrk === null ? 'node' : 'wrk',
    async run(port, seconds, signal) {
      const client = start(commandFor(port, seconds))
      const stop = (): void => client.signal('SIGKILL')
      signal.addEventListener('abort', stop)
      const timer = setTimeout(stop, seconds * 1000 + 15_000)
      await client.ended
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      signal.throwIfAborted()
      const line = /^RESULT (.*)$/m.exec(client.output)?.[1]
      if (line === undefined) throw new Error(`the load client failed: ${client.output.trim()}`)
      return closedResult.parse(JSON.parse(line))
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

const clientScript = fileURLToPath(new URL('./closed-client.ts', import.meta.url))

/** Requests are put together once, since the load shares its core with the nodes. */
const luaScript = `
local requests, turn = {}, 0
function init(args)
  local headers = {}
${Object.entries(phoneHeaders)
  .map(([name, value]) => `  headers["${name}"] = "${value}"`)
  .join('\n')}
  for _, path in ipairs({ ${Array.from({ length: 500 }, (_, i) => `"${pathOf(i)}"`).join(', ')} }) do
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
function done(summary, latency, rates)
  local bad = summary.errors
  local failed = bad.connect + bad.read + bad.write + bad.timeout + bad.status
  io.write(string.format('RESULT {"answered":%d,"errors":%d,"seconds":%f}\\n',
    summary.requests - bad.status, failed, summary.duration / 1e6))
end
`
