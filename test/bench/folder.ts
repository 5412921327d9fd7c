// Temporary folders that are gone when the benchmark is, also after a hasty end.
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Folder extends AsyncDisposable {
  readonly path: string
}

const existing = new Set<string>()

/** @param purpose Part of its name. */
export async function temporaryFolder(purpose: string): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), `chiyuan-bench-${purpose}-`))
  existing.add(path)
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true })
      existing.delete(path)
    },
  }
}

/** For the last moment: no waiting. */
export function removeFolders(): void {
  for (const path of existing) rmSync(path, { recursive: true, force: true })
}
