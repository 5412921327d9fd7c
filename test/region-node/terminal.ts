// A terminal that a node lets in, for tests.
import { DatabaseSync } from 'node:sqlite'
import { terminalTable } from '../../region-node/store/terminals.ts'
import { hashSecret, newCredential, readCredential } from '../../region-node/terminals/credential.ts'

/** Adds a terminal beside the node that has the file open, as the command does. @returns Its bearer token. */
export function letTerminalIn(dataFile: string, terminalId = 'station-north-3'): string {
  using db = new DatabaseSync(dataFile, { timeout: 2_000 })
  const bearer = newCredential(terminalId)
  const secretHash = hashSecret(readCredential(bearer)?.secret ?? '')
  terminalTable(db).add({ terminalId, secretHash, addedAtMs: 0, revokedAtMs: null })
  return bearer
}

export function shutTerminalOut(dataFile: string, terminalId = 'station-north-3'): void {
  using db = new DatabaseSync(dataFile, { timeout: 2_000 })
  terminalTable(db).revoke(terminalId, 1)
}
