// The lists that this node goes by, read again when their files change; a bad or older one never takes their place.
import { open } from 'node:fs/promises'
import { isNativeError } from 'node:util/types'
import type { RegionNodeLog } from '../options.ts'
import { StartError } from '../start-error.ts'
import { emptyLists, takeRevocationList, takeTrustList } from '../verify/lists.ts'
import type { Lists, Taken } from '../verify/lists.ts'
import { readRoots } from '../verify/roots.ts'
import type { RootKey } from '../verify/lists.ts'
import { KeptCounters } from './kept-counters.ts'

export interface ListFiles {
  /** JWK or JWK set of the trust roots; read once, since a root must not come by itself. */
  readonly root: string
  readonly trustList: string | undefined
  readonly revocations: readonly string[]
  /** Where the highest counters are kept over a restart; `null`: nowhere. */
  readonly counters: string | null
}

const MAX_BYTES = 17 * 1024 * 1024

interface Fault {
  readonly reason: string
  readonly detail: string
}

type Take = (lists: Lists, text: string, time: { nowMs: number }) => Promise<Taken>

export class HeldLists {
  /** As it was given. */
  readonly rootText: string
  readonly #files: ListFiles
  readonly #clock: () => number
  readonly #log: RegionNodeLog
  /** What was last said of each file that was refused, so that it is said once. */
  readonly #refusals = new Map<string, string>()
  readonly #counters: KeptCounters
  #lists: Lists

  private constructor(
    files: ListFiles,
    root: { text: string; keys: readonly RootKey[] },
    parts: { clock: () => number; log: RegionNodeLog },
  ) {
    this.#files = files
    this.rootText = root.text
    this.#lists = emptyLists(root.keys)
    this.#counters = KeptCounters.open(files.counters)
    this.#clock = parts.clock
    this.#log = parts.log
  }

  /**
   * A list that can't be used is told of, and the node runs without it.
   *
   * @throws {StartError} when the root or the kept counters can't be used.
   */
  static async open(
    files: ListFiles,
    parts: { clock: () => number; log: RegionNodeLog },
  ): Promise<HeldLists> {
    const held = new HeldLists(files, await readRootFile(files.root), parts)
    await held.refresh()
    return held
  }

  get lists(): Lists {
    return this.#lists
  }

  /** The trust list first: it vouches for the signers of the others. */
  async refresh(): Promise<void> {
    const { trustList, revocations } = this.#files
    if (trustList !== undefined) await this.#take(trustList, takeTrustList)
    for (const file of revocations) await this.#take(file, takeRevocationList)
  }

  async #take(file: string, take: Take): Promise<void> {
    const text = await readText(file)
    const taken: Taken =
      text === null
        ? { ok: false, reason: 'form', detail: `it can’t be read, or is longer than ${MAX_BYTES} bytes` }
        : await take(this.#lists, text, { nowMs: this.#clock() })
    if (!taken.ok) return this.#refuse(file, taken)
    const older = this.#olderThanKept(taken.lists)
    if (older !== null) return this.#refuse(file, older)
    this.#lists = taken.lists
    this.#refusals.delete(file)
    await this.#keep(taken.lists)
  }

  #olderThanKept(lists: Lists): Fault | null {
    const older = this.#counters.olderIn(lists)
    if (older === null) return null
    const detail =
      `its counter is ${older.given}, and ${older.kept} was gone by before this start; give the newest list, or, ` +
      `to go back on purpose, stop the node, delete ${this.#counters.file ?? 'the kept counters'} and start it`
    return { reason: 'rollback', detail }
  }

  /** A list is not refused for a full disk: it is newer, and to go without it would be worse. */
  async #keep(lists: Lists): Promise<void> {
    try {
      await this.#counters.raise(lists)
    } catch (error) {
      const reason = isNativeError(error) ? error.message : String(error)
      this.#log.error(
        { file: this.#counters.file, reason },
        'the list counters can’t be kept: after a restart an older list would be believed; make room for the file',
      )
    }
  }

  #refuse(file: string, { reason, detail }: Fault): void {
    if (this.#refusals.get(file) === detail) return
    this.#refusals.set(file, detail)
    this.#log.error({ file, reason, detail }, 'a list was refused; the one held, if any, stays in force')
  }
}

async function readRootFile(file: string): Promise<{ text: string; keys: readonly RootKey[] }> {
  const text = await readText(file)
  if (text === null) throw new StartError(`trust root ${file} can't be read; name a file with its public JWK`)
  const read = await readRoots(parsed(text))
  if (read.ok) return { text, keys: read.roots }
  throw new StartError(
    `trust root ${file} is no public JWK: ${read.detail}; print it with: chiyuan keys jwks`,
  )
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Without the white space around it; `null` where it can't be read. */
async function readText(file: string): Promise<string | null> {
  try {
    await using handle = await open(file, 'r')
    if ((await handle.stat()).size > MAX_BYTES) return null
    return (await handle.readFile('utf8')).trim()
  } catch {
    return null
  }
}
