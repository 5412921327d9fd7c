// `chiyuan trust`: signs trust lists with a root's key, and revocation lists with a region's.
import { randomBytes } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { z } from 'zod'
import { ConfigError } from '../../config/problem.ts'
import { counterIn, signRevocationList, signTrustList } from '../../region-node/signing/list-signer.ts'
import type { KeyRing } from '../../region-node/signing/key-ring.ts'
import type { JwsType } from '../../region-node/verify/compact-jws.ts'
import { kidField, revocationIdField, subjectField } from '../../region-node/verify/fields.ts'
import { errorCode, errorText, UsageError } from '../model/errors.ts'
import { instantValue, readDescription } from './description.ts'
import { readInput } from './input-file.ts'
import { inWords, openKeyRing, withKeyOptions } from './key-access.ts'
import type { KeyFlags } from './key-access.ts'
import { wholeNumber } from './option-values.ts'
import { readTrustDescription } from './trust-description.ts'

interface Flags extends KeyFlags {
  readonly out: string
  readonly validHours: number
  readonly counter?: number
}

const maxListBytes = 16 * 1024 * 1024

export function trustCommand(): Command {
  const command = new Command('trust')
    .description('sign the lists that verifiers go by 签署信任清单与撤销清单')
    .addHelpText('after', help)
  signing(
    command.command('sign').description('sign a trust list with the key of a trust root 签署信任清单'),
  ).action((file: string, flags: Flags) => inWords(() => signTrust(file, flags)))
  signing(
    command.command('revoke').description('sign a revocation list with a region’s key 签署撤销清单'),
  ).action((file: string, flags: Flags) => inWords(() => signRevocations(file, flags)))
  return command
}

const signing = (command: Command): Command =>
  withKeyOptions(command.argument('<description>', 'YAML or JSON file, or - for standard input'))
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
  chiyuan trust revoke revoked.yaml --dir keys/610100 --out 610100.jws --valid-hours 24`

async function signTrust(file: string, flags: Flags): Promise<void> {
  const text = await readInput(file, 'a description', maxListBytes)
  const content = await readTrustDescription(text, file)
  const counter = await nextCounter(flags, 'chiyuan-trust-list')
  const ring = await openKeyRing(flags)
  const list = await signTrustList(ring, { ...content, counter }, timeOf(flags))
  await publish(list, counter, flags)
}

const revocationsSchema = z.strictObject({
  kid: kidField.optional(),
  revoked: z.array(
    z.union(
      [
        z.strictObject({ rid: revocationIdField, before: instantValue.optional() }),
        z.strictObject({ sub: subjectField, before: instantValue }),
      ],
      'rid of 8 to 24 characters and perhaps before, or sub and before; before is a time with its zone',
    ),
  ),
})

async function signRevocations(file: string, flags: Flags): Promise<void> {
  const text = await readInput(file, 'a description', maxListBytes)
  const { content, problems } = readDescription(text, file, revocationsSchema, false)
  if (content === null) throw new ConfigError(problems)
  const counter = await nextCounter(flags, 'chiyuan-revocation-list')
  const ring = await openKeyRing(flags)
  const kid = content.kid ?? kidNow(ring)
  const revoked = content.revoked.map((entry) =>
    'rid' in entry && entry.before === undefined ? { rid: entry.rid } : entry,
  )
  const list = await signRevocationList(ring, { kid, revoked, counter }, timeOf(flags))
  await publish(list, counter, flags)
}

const timeOf = ({ validHours }: Flags) => ({ nowMs: Date.now(), validSeconds: validHours * 3600 })

// No key at all is told by the signer.
const kidNow = (ring: KeyRing): string => ring.signerAt(Date.now())?.jwk.kid ?? ''

/** A list with a counter that verifiers have seen is refused by them, so it counts on from the file in place. */
async function nextCounter({ out, counter }: Flags, type: JwsType): Promise<number> {
  if (counter !== undefined) return counter
  const held = await readInput(out, 'the last list', maxListBytes).catch((cause: unknown) => {
    if (cause instanceof UsageError && errorCode(cause.cause) === 'ENOENT') return null
    throw cause
  })
  if (held === null) return 1
  const last = counterIn(held.trim(), type)
  if (last !== null) return last + 1
  throw new UsageError(
    `${out}: it is not a ${type} that can be counted on from; give another --out, or --counter`,
  )
}

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
