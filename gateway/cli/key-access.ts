// What the commands that sign have in common: the folder of keys, its passphrase, and errors in a person's words.
import type { Command } from 'commander'
import { z } from 'zod'
import { KeyError } from '../../region-node/signing/key-error.ts'
import { KeyRing } from '../../region-node/signing/key-ring.ts'
import { readPassphrase } from '../../region-node/signing/passphrase.ts'
import { faultsOf } from '../../region-node/verify/trust-list.ts'
import { UsageError } from '../model/errors.ts'

export interface KeyFlags {
  readonly dir: string
  readonly passphraseFile?: string
}

/** A passphrase as an argument would be in the list of processes and in the shell's history. */
export const withKeyOptions = (command: Command): Command =>
  command
    .requiredOption('--dir <folder>', 'the region’s keys, mode 0700 密钥目录')
    .option('--passphrase-file <file>', 'file of mode 0600 with the passphrase that seals the keys 口令文件')

/** @throws {UsageError} */
export const openKeyRing = (flags: KeyFlags): Promise<KeyRing> =>
  inWords(async () => KeyRing.open(flags.dir, await passphraseOf(flags)))

/** `null` where none was given. @throws {KeyError} when its file is open to others, or it is too short. */
export const passphraseOf = ({ passphraseFile }: KeyFlags): Promise<string | null> =>
  readPassphrase(passphraseFile, {})

/** What `work` gives; what is wrong with keys is told like any other wrong input. */
export async function inWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof KeyError) throw new UsageError(cause.message)
    // What can only be told of the whole list.
    if (cause instanceof z.ZodError) throw new UsageError(`the list can't be signed: ${faultsOf(cause)}`)
    throw cause
  }
}
