// Where the passphrase of sealed keys comes from: a private file, or the environment. Never an argument.
import { KeyError } from './key-error.ts'
import { readPrivate } from './key-folder.ts'
import { shortestPassphrase } from './sealing.ts'

/** An argument would stand in the list of processes and in the shell's history. */
export const passphraseVariable = 'CHIYUAN_KEY_PASSPHRASE'

/**
 * @param file Before the environment.
 * @returns `null` where neither gives one: the keys are not sealed.
 * @throws {KeyError} when the file is open to others, or the passphrase is too short.
 */
export async function readPassphrase(
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  if (file !== undefined) return longEnough((await readPrivate(file)).text.replace(/\r?\n$/, ''), file)
  const given = environment[passphraseVariable]
  return given === undefined || given === '' ? null : longEnough(given, passphraseVariable)
}

function longEnough(passphrase: string, place: string): string {
  if (passphrase.length >= shortestPassphrase) return passphrase
  throw new KeyError(
    `${place}: the passphrase has ${passphrase.length} characters; it must have at least ${shortestPassphrase}`,
  )
}
