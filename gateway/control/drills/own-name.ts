// The name by which a gateway tells its part in what is measured from those of the gateways beside it, over restarts.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../../model/errors.ts'

const form = /^[A-Za-z0-9-]{1,100}$/

/**
 * Made on first use. `gatewayId` alone would not do: it is the same for all that stand side by side.
 * @throws {UsageError} for a folder that can't be used.
 */
export async function ownName(dataDir: string, gatewayId: string): Promise<string> {
  const file = join(dataDir, 'gateway-name')
  const before = await nameIn(file)
  if (before !== null) return before
  const name = `${gatewayId}-${randomBytes(4).toString('hex')}`
  try {
    await mkdir(dataDir, { recursive: true })
    await writeFile(file, `${name}\n`, { mode: 0o600, flag: 'wx' })
    return name
  } catch (cause) {
    const again = await nameIn(file)
    if (again !== null) return again
    throw new UsageError(
      `${file}: it holds no name of letters, digits and dashes, and none can be written (${String(cause)}); remove it, or set dataDir to a folder that can be written`,
      { cause },
    )
  }
}

async function nameIn(file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const name = text.trim()
  return form.test(name) ? name : null
}
