// A contender as a running process.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { processTree } from '../cpu-time.ts'
import type { Upstreams } from '../federation.ts'
import { temporaryFolder } from '../folder.ts'
import { freePort } from '../ports.ts'
import { waitForAnswer } from '../probe.ts'
import { start } from '../processes.ts'
import type { Contender, Place } from './contender.ts'

export interface Running extends AsyncDisposable {
  readonly contender: Contender
  readonly port: number
  readonly adminPort: number
  /** Its process and their descendants. */
  readonly pids: readonly number[]
}

/** Resolves when it answers with a node's answer. */
export async function startContender(
  contender: Contender,
  upstreams: Upstreams,
  cores: string | null,
  signal: AbortSignal,
  asked: Pick<Place, 'capacity' | 'extras'> = { capacity: null, extras: [] },
): Promise<Running> {
  const folder = await temporaryFolder(contender.name)
  const ports = { port: await freePort(), adminPort: await freePort() }
  const place = { ...ports, folder: folder.path, upstreams, ...asked }
  const { file, args, env = {}, files = {} } = contender.launch(place)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text)
  const process = start({ file, args, env, cores })
  const dispose = async (): Promise<void> => {
    await process.stop()
    await folder[Symbol.asyncDispose]()
  }
  try {
    await waitForAnswer(place.port, process, signal)
  } catch (cause) {
    await dispose()
    throw cause
  }
  return {
    contender,
    port: place.port,
    adminPort: place.adminPort,
    pids: processTree(process.pid),
    [Symbol.asyncDispose]: dispose,
  }
}
