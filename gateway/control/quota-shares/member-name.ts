// The name that a gateway has among those that share donors' quotas: kept in its folder, so that who is started again has its share back.
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UsageError } from '../../model/errors.ts'
import { ownRegistry } from '../registry/sole-owner.ts'

export interface MemberName extends Disposable {
  readonly id: string
}

const nameForm = /^[0-9a-f-]{36}$/

export const freshName = (): string => randomUUID()

/**
 * The name kept in `dataDir`, locked as long as this process lives. Where another gateway has it, or nothing can be kept
 * there, a name for this run alone: what an earlier run of such a gateway held is free when its lease has ended.
 */
export async function memberName(dataDir: string): Promise<MemberName> {
  const file = join(dataDir, 'quota-member')
  try {
    await mkdir(dataDir, { recursive: true })
    const lock = ownRegistry(file)
    return { id: await keptName(file), [Symbol.dispose]: () => lock[Symbol.dispose]() }
  } catch (cause) {
    const isExpected = cause instanceof UsageError || (cause instanceof Error && 'code' in cause)
    if (!isExpected) throw cause
    return { id: freshName(), [Symbol.dispose]: () => {} }
  }
}

async function keptName(file: string): Promise<string> {
  const kept = await readFile(file, 'utf8').catch(() => '')
  const name = kept.trim()
  if (nameForm.test(name)) return name
  const made = freshName()
  await writeFile(file, `${made}\n`, { mode: 0o600 })
  return made
}
