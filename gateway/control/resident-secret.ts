// The secret key of the resident hash: read from its file, made on first use.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UsageError } from '../model/errors.ts'

/**
 * @param given Configured file, which must exist, since gateways share it; else `null`.
 * @param fallback File that is made with a new key where there is none.
 * @throws {UsageError}
 */
export async function residentSecret(given: string | null, fallback: string): Promise<string> {
  const file = given ?? fallback
  try {
    return keyOf(await readFile(file, 'utf8'), file)
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    if (given !== null) {
      throw new UsageError(`${file}: the key of resident.keyFile can't be read (${String(cause)})`, { cause })
    }
  }
  const secret = randomBytes(32).toString('hex')
  try {
    await mkdir(dirname(file), { recursive: true })
    // `wx`: of two gateways that start together on one folder one makes the key, the other reads it.
    await writeFile(file, `${secret}\n`, { mode: 0o600, flag: 'wx' })
    return secret
  } catch (cause) {
    const again = await readFile(file, 'utf8').catch(() => null)
    if (again !== null) return keyOf(again, file)
    throw new UsageError(
      `${file}: the resident key can't be written (${String(cause)}); set dataDir to a folder that can be`,
      {
        cause,
      },
    )
  }
}

function keyOf(text: string, file: string): string {
  const key = text.trim()
  if (key.length >= 32) return key
  throw new UsageError(`${file}: the resident key has ${key.length} characters; it must have at least 32`)
}
