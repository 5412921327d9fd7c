// The `terminals` subcommand: which terminals may look up residents at a node.
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { z } from 'zod'
import { check, text } from './flags.ts'
import { StartError } from './start-error.ts'
import { openStore } from './store/store.ts'
import type { Store } from './store/store.ts'
import { hashSecret, newCredential, readCredential } from './terminals/credential.ts'

const idField = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, "_" or "-", such as station-north-3')
const hashField = z.string().regex(/^[\da-f]{64}$/, 'must be the 64 hexadecimal digits that `add` printed')
const fileField = z.string().min(1)

interface Place {
  readonly data: string
}

/** A fresh `terminals` command, to be run by itself or mounted in another. */
export function terminalsCommand(): Command {
  const command = new Command('terminals').description(
    'terminals that may look up residents at a region node',
  )
  const at = (name: string, does: string): Command =>
    command
      .command(name)
      .description(does)
      .requiredOption('--data <file>', "the node's data file; the node may be running", text(fileField))
  at('add', 'let a terminal in; prints its token, which is kept nowhere')
    .argument('<id>', 'name of the terminal, such as station-north-3', text(idField))
    .option('--hash <hex>', 'of a token that another node gave it, so that one token serves at both', (hex) =>
      check(hashField, hex),
    )
    .action((id: string, { data, hash }: Place & { hash?: string }) =>
      told(data, (store) => add(store, id, hash)),
    )
  at('list', 'name all, with the day since when').action(({ data }: Place) => told(data, list))
  at('revoke', 'shut a terminal out, from its next request on')
    .argument('<id>', 'name of the terminal', text(idField))
    .action((id: string, { data }: Place) => told(data, (store) => revoke(store, id)))
  return command
}

async function add(store: Store, terminalId: string, hash: string | undefined): Promise<string> {
  const credential = newCredential(terminalId)
  const secretHash = hash === undefined ? hashOf(credential) : Buffer.from(hash, 'hex')
  const terminal = { terminalId, secretHash, addedAtMs: Date.now(), revokedAtMs: null }
  const added = await store.write(() => store.terminals.add(terminal))
  if (!added) throw new StartError(`terminal ${terminalId} was known before; choose another id`)
  if (hash !== undefined) return `${terminalId} is let in with the token that it has\n`
  return (
    `token of ${terminalId}, shown this once:\n  ${credential}\n` +
    `on the nodes that stand in for this one:\n` +
    `  chiyuan terminals add ${terminalId} --hash ${secretHash.toString('hex')} --data FILE\n`
  )
}

const hashOf = (credential: string): Buffer => hashSecret(readCredential(credential)?.secret ?? '')

function list(store: Store): string {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
  return store.terminals
    .all()
    .map(({ terminalId, addedAtMs, revokedAtMs }) => {
      const until = revokedAtMs === null ? '' : `, revoked ${day(revokedAtMs)}`
      return `${terminalId}  since ${day(addedAtMs)}${until}\n`
    })
    .join('')
}

async function revoke(store: Store, terminalId: string): Promise<string> {
  const revoked = await store.write(() => store.terminals.revoke(terminalId, Date.now()))
  if (!revoked) throw new StartError(`no terminal ${terminalId} is let in; see: chiyuan terminals list`)
  return `${terminalId} is shut out\n`
}

/** Prints what `act` says, or the one line that tells what is wrong. */
async function told(data: string, act: (store: Store) => string | Promise<string>): Promise<void> {
  try {
    if (!existsSync(data))
      throw new StartError(`${data} is missing; name the data file of a node with --data`)
    const store = openStore(data)
    try {
      process.stdout.write(await act(store))
    } finally {
      store.close()
    }
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    process.stderr.write(`chiyuan: ${error.message}\n`)
    process.exitCode = 1
  }
}
