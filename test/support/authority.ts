// A private certificate authority, as a province runs one for its nodes; made by the openssl command.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export interface KeyPair {
  readonly cert: Buffer
  readonly key: Buffer
}

export interface Authority extends AsyncDisposable {
  readonly certFile: string
  /** @param name A name as certificates write it, such as `IP:127.0.0.1`. Negative `days` make it expired. */
  issue(name: string, days?: number): Promise<KeyPair>
}

export async function authority(): Promise<Authority> {
  const folder = await mkdtemp(join(tmpdir(), 'chiyuan-ca-'))
  const file = (name: string): string => join(folder, name)
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder })
  const own = ['-keyout', 'ca.key', '-out', 'ca.pem']
  await openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=Test authority', ...own)
  let issued = 0
  return {
    certFile: file('ca.pem'),
    async issue(name, days = 2) {
      const at = (issued += 1)
      const [key, request, cert] = [`${at}.key`, `${at}.csr`, `${at}.pem`]
      const subject = ['-subj', '/CN=node', '-addext', `subjectAltName=${name}`]
      await openssl('req', '-new', ...newKey, ...subject, '-keyout', key, '-out', request)
      const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAserial', `${at}.srl`, '-CAcreateserial']
      const sign = ['-days', String(days), '-copy_extensions', 'copy', '-out', cert]
      await openssl('x509', '-req', '-in', request, ...signer, ...sign)
      return { cert: await readFile(file(cert)), key: await readFile(file(key)) }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
