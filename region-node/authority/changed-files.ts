// Notices that files or folders have changed, also when a new one was renamed into the place of the old.
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

export interface Watching {
  /** Files, or folders whose files count. */
  readonly paths: readonly string[]
  readonly everyMs: number
  /** Runs to its end before the next look. Must not throw. */
  readonly changed: () => Promise<void>
}

/**
 * Looks at size and time every so often: unlike `fs.watch` that also works on network and container file systems.
 *
 * @returns Ends the looking, once what `changed` is doing is done.
 */
export function watchFiles({ paths, everyMs, changed }: Watching): AsyncDisposable {
  const stopping = new AbortController()
  // Without holding the process open.
  const waited = (): Promise<boolean> =>
    wait(everyMs, undefined, { signal: stopping.signal, ref: false }).then(
      () => true,
      () => false,
    )
  const look = async (): Promise<void> => {
    // What changed since it was read, and before the first look, would else go unnoticed.
    let seen = 'unseen'
    while (await waited()) {
      const now = await stampOf(paths)
      if (now === seen) continue
      seen = now
      await changed()
    }
  }
  const looking = look()
  return {
    [Symbol.asyncDispose]: () => {
      stopping.abort()
      return looking
    },
  }
}

const stampOf = async (paths: readonly string[]): Promise<string> =>
  (await Promise.all(paths.map(stampOfPath))).join('\n')

async function stampOfPath(path: string): Promise<string> {
  try {
    const found = await stat(path)
    if (!found.isDirectory()) return `${found.ino} ${found.size} ${found.mtimeMs}`
    const names = (await readdir(path)).sort()
    return (await Promise.all(names.map((name) => stampOfFile(join(path, name))))).join()
  } catch {
    return 'absent'
  }
}

const stampOfFile = (file: string): Promise<string> =>
  stat(file).then(
    ({ ino, size, mtimeMs }) => `${file} ${ino} ${size} ${mtimeMs}`,
    () => 'absent',
  )
