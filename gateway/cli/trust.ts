// `chiyuan trust`: signs trust lists with a root's key, and revocation lists with a region's.
import { randomBytes } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import {
  counterIn,
  papersRevokedIn,
  signRevocationList,
  signTrustList,
} from '../../region-node/signing/list-signer.ts'
import type { KeyRing } from '../../region-node/signing/key-ring.ts'
import type { JwsType } from '../../region-node/verify/compact-jws.ts'
import { kidField } from '../../region-node/verify/fields.ts'
import { errorCode, errorText, UsageError } from '../model/errors.ts'
import { readInput } from './input-file.ts'
import { inWords, openKeyRing, withKeyOptions } from './key-access.ts'
import type { KeyFlags } from './key-access.ts'
import { wholeNumber } from './option-values.ts'
import { readTrustDescription } from './trust-description.ts'
import { lossesIn, readRevocations } from './trust-revocations.ts'
import type { Revoked } from './trust-revocations.ts'

interface Flags extends KeyFlags {
  readonly out: string
  readonly validHours: number
  readonly counter?: number
}

interface RevokeFlags extends Flags {
  readonly lostFrom?: string
  readonly kid?: string
}

const maxListBytes = 16 * 1024 * 1024

export function trustCommand(): Command {
  const command = new Command('trust')
    .description('sign the lists that verifiers go by 签署信任清单与撤销清单')
    .addHelpText('after', help)
  signing(
    command
      .command('sign')
      .description('sign a trust list with the key of a trust root 签署信任清单')
      .argument('<description>', input),
  ).action((file: string, flags: Flags) => inWords(() => signTrust(file, flags)))
  signing(
    command
      .command('revoke')
      .description('sign a revocation list with a region’s key 签署撤销清单')
      .argument('[description]', `${input}; may be left out with --lost-from`),
  )
    .option(
      '--lost-from <file>',
      'data file of the region’s writer: its printed codes that were reported lost are revoked too 挂失的纸质码',
    )
    .option('--kid <key>', 'key whose codes the list speaks of (default: the one that signs now)', keyName)
    .action((file: string | undefined, flags: RevokeFlags) => inWords(() => signRevocations(file, flags)))
  return command
}

const input = 'YAML or JSON file, or - for standard input'

const keyName = (text: string): string => {
  if (kidField.safeParse(text).success) return text
  throw new InvalidArgumentError(
    'It must be a thumbprint of 43 characters, as printed by: chiyuan keys list.',
  )
}

const signing = (command: Command): Command =>
  withKeyOptions(command)
    .requiredOption('--out <file>', 'the list; where one lies already, the new one counts on from it')
    .option('--valid-hours <hours>', 'until the next list is due', wholeNumber(1, 24 * 31), 48)
    .option(
      '--counter <number>',
      'count from here, when the last list is lost',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )

const help = `
A trust list is described like this 信任清单的描述:
  issuers:
    - region: 610100
      jwks: 610100-jwks.json          # printed by: chiyuan keys jwks
    - region: 610400
      jwks: 610400-jwks.json
  delegations:
    - donor: 610400                   # may sign for residents of
      hom: 610100
      from: 2026-01-05T00:00:00+08:00
      until: 2026-02-05T00:00:00+08:00
A revocation list 撤销清单的描述:
  kid: <key whose codes it speaks of> # default: the key that signs now
  revoked:
    - rid: Zm9vYmFyYmF6               # one code
    - sub: <resident’s token>         # every code of a resident issued before
      before: 2026-01-05T09:00:00+08:00

Examples 示例:
  chiyuan trust sign trust.yaml --dir keys/root --out trust.jws
  chiyuan trust revoke revoked.yaml --dir keys/610100 --out 610100.jws --valid-hours 24
  chiyuan trust revoke --lost-from data/610100.db --dir keys/610100 --out 610100.jws
Give --lost-from each time: a list without a loss makes the lost paper good again. A retired key, whose papers live
on, needs a list of its own: the same with --kid and another --out.
每次都要给出 --lost-from；已停签的密钥另签一份清单。`

async function signTrust(file: string, flags: Flags): Promise<void> {
  const text = await readInput(file, 'a description', maxListBytes)
  const content = await readTrustDescription(text, file)
  const counter = await nextCounter(flags, 'chiyuan-trust-list')
  const ring = await openKeyRing(flags)
  const list = await signTrustList(ring, { ...content, counter }, timeOf(flags))
  await publish(list, counter, flags)
}

async function signRevocations(file: string | undefined, flags: RevokeFlags): Promise<void> {
  const { lostFrom } = flags
  if (file === undefined && lostFrom === undefined) {
    throw new UsageError('nothing to revoke was given; name a description, or --lost-from, or both')
  }
  const described =
    file === undefined
      ? { kid: undefined, revoked: [] }
      : readRevocations(await readInput(file, 'a description', maxListBytes), file)
  const counter = await nextCounter(flags, 'chiyuan-revocation-list')
  if (lostFrom === undefined) await refuseToForget(described.revoked, flags)
  const ring = await openKeyRing(flags)
  const kid = flags.kid ?? described.kid ?? kidNow(ring)
  const lost = lostFrom === undefined ? [] : lossesIn(lostFrom, ring.region, Date.now())
  const content = { kid, revoked: [...described.revoked, ...lost], counter }
  await publish(await signRevocationList(ring, content, timeOf(flags)), counter, flags)
  if (lostFrom !== undefined) {
    process.stdout.write(`${lostFrom}: ${lost.length} printed codes reported lost 已挂失的纸质码\n`)
  }
  if (flags.kid === undefined) remindOfRetired(ring, kid)
}

/** Verifiers take no paper of a key whose list they have not. */
function remindOfRetired(ring: KeyRing, signed: string): void {
  for (const { jwk, stage } of ring.stages(Date.now())) {
    if (stage !== 'retired' || jwk.kid === signed) continue
    process.stdout.write(
      `${jwk.kid} is retired, and its papers live on: sign its list too, with --kid and another --out ` +
        `已停签，其纸质码仍有效，请用 --kid 另签清单\n`,
    )
  }
}

/** A newer list without a loss makes the lost paper good again, which nobody means. @throws {UsageError} */
async function refuseToForget(revoked: Revoked, { out }: Flags): Promise<void> {
  const held = await heldList(out)
  const named = new Set(revoked.map((entry) => ('rid' in entry ? entry.rid : null)))
  const forgotten = papersRevokedIn(held?.trim() ?? '').filter((rid) => !named.has(rid))
  if (forgotten.length === 0) return
  throw new UsageError(
    `${out}: ${forgotten.length} printed codes that it revokes would be good again; give --lost-from, or, ` +
      `to take them back on purpose, move the file away and give --counter one above its own`,
  )
}

const timeOf = ({ validHours }: Flags) => ({ nowMs: Date.now(), validSeconds: validHours * 3600 })

// No key at all is told by the signer.
const kidNow = (ring: KeyRing): string => ring.signerAt(Date.now())?.jwk.kid ?? ''

/** A list with a counter that verifiers have seen is refused by them, so it counts on from the file in place. */
async function nextCounter({ out, counter }: Flags, type: JwsType): Promise<number> {
  if (counter !== undefined) return counter
  const held = await heldList(out)
  if (held === null) return 1
  const last = counterIn(held.trim(), type)
  if (last !== null) return last + 1
  throw new UsageError(
    `${out}: it is not a ${type} that can be counted on from; give another --out, or --counter`,
  )
}

/** `null` where there is none yet. */
const heldList = (out: string): Promise<string | null> =>
  readInput(out, 'the last list', maxListBytes).catch((cause: unknown) => {
    if (cause instanceof UsageError && errorCode(cause.cause) === 'ENOENT') return null
    throw cause
  })

async function publish(list: string, counter: number, { out }: Flags): Promise<void> {
  const draft = `${out}.${randomBytes(4).toString('hex')}`
  try {
    await writeFile(draft, `${list}\n`, { flag: 'wx' })
    await rename(draft, out)
  } catch (cause) {
    await rm(draft, { force: true })
    throw new UsageError(
      `${out}: writing it failed (${errorText(cause)}); give --out a file that can be written`,
    )
  }
  process.stdout.write(`${out}: list ${counter}, ${list.length} characters\n`)
}
