// Reads what a person names on the command line: a file or standard input, whole but bounded.
import { open } from 'node:fs/promises'
import { errorCode, errorText, UsageError } from '../model/errors.ts'

/**
 * @param what Named in the error, such as `the trust list`.
 * @throws {UsageError} when it can't be read or is longer than `maxBytes`.
 */
export async function readInput(file: string, what: string, maxBytes: number): Promise<string> {
  if (file === '-') return readAll(process.stdin, 'standard input', what, maxBytes)
  try {
    const handle = await open(file, 'r')
    // The stream closes the file.
    return await readAll(handle.createReadStream(), file, what, maxBytes)
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    throw new UsageError(`${file}: ${reasonOf(cause)}; give the file of ${what}`, { cause })
  }
}

async function readAll(
  stream: AsyncIterable<Buffer | string>,
  name: string,
  what: string,
  maxBytes: number,
): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream) {
    const part = Buffer.from(chunk)
    bytes += part.length
    if (bytes > maxBytes) throw new UsageError(`${name}: longer than ${maxBytes} bytes; it can't be ${what}`)
    chunks.push(part)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function reasonOf(cause: unknown): string {
  const code = errorCode(cause)
  if (code === 'ENOENT') return 'there is no such file'
  return code === 'EISDIR' ? 'it is a folder' : `reading it failed (${errorText(cause)})`
}

/** @throws {UsageError} Without an excerpt: somebody may have given a private key by mistake. */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`${file}: not valid JSON; give the file just as it was written`)
  }
}
