// A certificate and its key in a folder of their own, for tests of TLS; made by the openssl command.
import { execFile } from 'node:child_process'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface SelfSigned extends AsyncDisposable {
  readonly certFile: string
  readonly keyFile: string
  /** Puts a new pair for `name` in place of the old one, each file by renaming, as certificates are renewed. */
  renew(name: string): Promise<void>
}

export async function selfSigned(name = 'first.example'): Promise<SelfSigned> {
  const folder = await mkdtemp(join(tmpdir(), 'chiyuan-tls-'))
  const certFile = join(folder, 'cert.pem')
  const keyFile = join(folder, 'key.pem')
  const renew = async (subject: string): Promise<void> => {
    const made = [join(folder, 'new-key.pem'), join(folder, 'new-cert.pem')] as const
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    await run('openssl', [
      'req',
      '-x509',
      ...kind,
      '-subj',
      `/CN=${subject}`,
      '-keyout',
      made[0],
      '-out',
      made[1],
    ])
    await rename(made[0], keyFile)
    await rename(made[1], certFile)
  }
  await renew(name)
  return {
    certFile,
    keyFile,
    renew,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
