// Keeps private keys as files 0600 in a folder 0700: refuses what others could read, writes each file whole or not.
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { KeyError } from './key-error.ts'

const keyFilePattern = /^[A-Za-z0-9_-]{43}\.json$/
const maxKeyFileBytes = 16_384

export interface KeyFileText {
  readonly file: string
  readonly text: string
}

/** Makes the folder where there is none. @throws {KeyError} when others may look into it. */
export async function prepareKeyFolder(folder: string): Promise<void> {
  await orExplain(folder, 'making the folder failed', () => mkdir(folder, { recursive: true, mode: 0o700 }))
  await refuseOpenFolder(folder)
}

/** @throws {KeyError} when there is no folder, or it or a file in it is open to others. */
export async function readKeyFiles(folder: string): Promise<KeyFileText[]> {
  await refuseOpenFolder(folder)
  const names = await orExplain(folder, 'reading the folder failed', () => readdir(folder))
  const files = names.filter((name) => keyFilePattern.test(name)).sort()
  return Promise.all(files.map((name) => readPrivate(join(folder, name))))
}

/** Reads a file that only its owner may read. @throws {KeyError} */
export async function readPrivate(file: string): Promise<KeyFileText> {
  const handle = await orExplain(file, 'reading it failed', () => open(file, 'r'))
  try {
    // Of the open file, not of its name: the name may lead elsewhere by the time it is read.
    const { mode, size } = await handle.stat()
    refuseOpen(file, mode, '600')
    if (size > maxKeyFileBytes) {
      throw new KeyError(`${file}: ${size} bytes are no key; one has at most ${maxKeyFileBytes}`)
    }
    return { file, text: await orExplain(file, 'reading it failed', () => handle.readFile('utf8')) }
  } finally {
    await handle.close()
  }
}

/** Writes the key's file, or leaves none: a crash in between leaves nothing that is taken for a key. */
export async function writeKeyFile(folder: string, kid: string, text: string): Promise<string> {
  const file = join(folder, `${kid}.json`)
  const draft = join(folder, `.draft-${randomBytes(6).toString('hex')}`)
  try {
    await orExplain(draft, 'writing it failed', () => writeThrough(draft, text))
    await orExplain(file, 'writing it failed', () => rename(draft, file))
    // Else a power cut could take away a key that is in the trust list already.
    await orExplain(folder, 'writing it failed', () => syncFolder(folder))
  } finally {
    await rm(draft, { force: true })
  }
  return file
}

export const removeKeyFile = (folder: string, kid: string): Promise<void> =>
  rm(join(folder, `${kid}.json`), { force: true })

/** Writes a new file, down to the disk. */
export async function writeThrough(file: string, text: string, mode = 0o600): Promise<void> {
  const handle = await open(file, 'wx', mode)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes what was renamed there outlive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folder.
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function refuseOpenFolder(folder: string): Promise<void> {
  const found = await orExplain(folder, 'reading the folder failed', () => statIfThere(folder))
  if (found === null)
    throw new KeyError(`${folder}: there is no such folder; make keys with: chiyuan keys new`)
  refuseOpen(folder, found.mode, '700')
}

const statIfThere = (folder: string): Promise<{ mode: number } | null> =>
  stat(folder).catch((cause: unknown) => {
    if (codeOf(cause) === 'ENOENT') return null
    throw cause
  })

function refuseOpen(path: string, mode: number, right: '600' | '700'): void {
  // Windows has no such modes; there the folder's access list is what counts.
  if (process.platform === 'win32' || (mode & 0o077) === 0) return
  const found = (mode & 0o777).toString(8)
  throw new KeyError(
    `${path}: its mode is ${found}, so other accounts may reach private keys; run: chmod ${right} '${path}', ` +
      'and rotate the keys if somebody may have read them',
  )
}

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'it is no folder',
  EISDIR: 'it is a folder',
  EACCES: 'this account may not reach it; run as its owner',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk is read-only',
}

/** What `work` gives. @throws {KeyError} with path, what was tried and the system's reason. */
export async function orExplain<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const code = codeOf(cause)
    throw new KeyError(`${path}: ${what}: ${reasons[code] ?? code}`)
  }
}

const codeOf = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : 'unknown'
