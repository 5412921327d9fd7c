// Certificates by which regions know each other, for tests of replication; made by the openssl command.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll } from '@jest/globals'

const run = promisify(execFile)

export interface PeerFilePaths {
  readonly cert: string
  readonly key: string
  readonly ca: string
}

export class PeerWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'chiyuan-peers-'))

  private constructor() {}

  static async make(): Promise<PeerWorld> {
    const world = new PeerWorld()
    await world.#openssl(
      'req',
      '-x509',
      ...newKey,
      '-subj',
      '/CN=peers',
      '-keyout',
      'ca-key.pem',
      '-out',
      'ca.pem',
    )
    return world
  }

  /** A certificate of that region, made once; `urn` to claim something else. */
  async filesOf(region: string, urn = `urn:chiyuan:region:${region}`): Promise<PeerFilePaths> {
    const name = urn.replaceAll(/\W/g, '-')
    const names = `subjectAltName=URI:${urn},IP:127.0.0.1`
    await this.#openssl(
      'req',
      ...newKey,
      '-subj',
      `/CN=${region}`,
      '-keyout',
      `${name}-key.pem`,
      '-out',
      `${name}.csr`,
    )
    writeFileSync(this.file(`${name}.ext`), `${names}\nextendedKeyUsage=serverAuth,clientAuth\n`)
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial', '-days', '2']
    await this.#openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...signing,
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    )
    return { cert: this.file(`${name}.pem`), key: this.file(`${name}-key.pem`), ca: this.file('ca.pem') }
  }

  file(name: string): string {
    return join(this.folder, name)
  }

  #openssl(...args: string[]): Promise<unknown> {
    return run('openssl', args, { cwd: this.folder })
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

let shared: Promise<PeerWorld> | undefined

/** One for all nodes of a test file. */
export const peerWorld = (): Promise<PeerWorld> => (shared ??= PeerWorld.make())

afterAll(async () => {
  if (shared !== undefined) rmSync((await shared).folder, { recursive: true, force: true })
})
