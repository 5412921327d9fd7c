// The highest counter of each list gone by, on disk beside the data, so that a restart brings no older list back.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { isNativeError } from 'node:util/types'
import { z } from 'zod'
import { StartError } from '../start-error.ts'
import { counterField, kidField } from '../verify/fields.ts'
import type { Lists } from '../verify/lists.ts'

const countersSchema = z.strictObject({
  trustList: counterField.nullable(),
  /** By the key whose codes each list speaks of. */
  revocations: z.record(kidField, counterField),
})

type Counters = z.infer<typeof countersSchema>

export interface OlderList {
  readonly given: number
  readonly kept: number
}

export class KeptCounters {
  /** `null`: kept nowhere. */
  readonly file: string | null
  #counters: Counters

  private constructor(file: string | null, counters: Counters) {
    this.file = file
    this.#counters = counters
  }

  /**
   * @param file Need not be there yet; `null` keeps the counters until the process ends.
   * @throws {StartError} when it is there and can't be used: to begin anew by itself is what an attacker would want.
   */
  static open(file: string | null): KeptCounters {
    const text = file === null ? null : readIfThere(file)
    if (text === null) return new KeptCounters(file, { trustList: null, revocations: {} })
    const read = countersSchema.safeParse(parsed(text))
    if (read.success) return new KeptCounters(file, read.data)
    throw new StartError(
      `list counters ${file} are damaged; compare the lists with their signers, then delete the file`,
    )
  }

  /** Which of `lists` is older than one that was gone by before, if any is. */
  olderIn({ trust, revocations }: Lists): OlderList | null {
    const { trustList, revocations: kept } = this.#counters
    if (trust !== null && trust.counter < (trustList ?? 0)) {
      return { given: trust.counter, kept: trustList ?? 0 }
    }
    for (const [kid, { counter }] of revocations) {
      const highest = kept[kid] ?? 0
      if (counter < highest) return { given: counter, kept: highest }
    }
    return null
  }

  /** Resolves when it is on disk. Counters of lists that are not held now stay. @throws what the file system throws. */
  async raise({ trust, revocations }: Lists): Promise<void> {
    const held = [...revocations].map(([kid, { counter }]) => [kid, counter] as const)
    const next: Counters = {
      trustList: trust?.counter ?? this.#counters.trustList,
      revocations: { ...this.#counters.revocations, ...Object.fromEntries(held) },
    }
    if (JSON.stringify(next) === JSON.stringify(this.#counters)) return
    // Only then, so that what could not be written is tried again with the next list.
    if (this.file !== null) await replaceFile(this.file, `${JSON.stringify(next)}\n`)
    this.#counters = next
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isNativeError(error) && 'code' in error && error.code === 'ENOENT') return null
    throw new StartError(`list counters ${file} can't be read; give the node's user access to the file`)
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whole or not at all, also when the power fails in between. */
async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}`
  try {
    await writeFile(draft, text, { flag: 'wx', mode: 0o600, flush: true })
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
