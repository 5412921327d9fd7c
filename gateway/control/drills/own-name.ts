// The name by which a gateway tells its part in what is measured from those of the gateways beside it, over restarts.
import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText } from '../../model/errors.ts'

const form = /^[A-Za-z0-9-]{1,100}$/

export interface OwnName {
  readonly name: string
  /** Why it will be another after a restart, in words; `null` where it lasts. */
  readonly trouble: string | null
}

/** Made on first use. `gatewayId` alone would not do: it is the same for all that stand side by side. */
export async function ownName(dataDir: string, gatewayId: string): Promise<OwnName> {
  const file = join(dataDir, 'gateway-name')
  const before = await nameIn(file)
  if (before !== null) return { name: before, trouble: null }
  const name = `${gatewayId}-${randomBytes(4).toString('hex')}`
  try {
    await mkdir(dataDir, { recursive: true })
    const own = `${file}.${name}`
    await writeFile(own, `${name}\n`, { mode: 0o600 })
    // Whole, or not at all: another may read it at any moment.
    try {
      await link(own, file)
    } finally {
      await rm(own)
    }
    return { name, trouble: null }
  } catch (cause) {
    // Of two that start together on one folder one makes it.
    const again = await nameIn(file)
    if (again !== null) return { name: again, trouble: null }
    const trouble = `${file} holds no name of letters, digits and dashes, and none can be written (${errorText(cause)}), so that what is measured of a drill is not gone on from after a restart; remove the file, or set dataDir to a folder that can be written`
    return { name, trouble }
  }
}

async function nameIn(file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const name = text.trim()
  return form.test(name) ? name : null
}
