// `chiyuan keys`: makes, lists, rotates and publishes a region's signing keys.
import { Command, InvalidArgumentError } from 'commander'
import { stagesAt } from '../../region-node/signing/key-life.ts'
import type { StagedKey } from '../../region-node/signing/key-life.ts'
import { jwksAt, readKeyDocuments, regionOf } from '../../region-node/signing/key-ring.ts'
import { createFirstKey, rotate } from '../../region-node/signing/rotation.ts'
import { regionField, secondsOf } from '../../region-node/verify/fields.ts'
import { inWords, passphraseOf, withKeyOptions } from './key-access.ts'
import type { KeyFlags } from './key-access.ts'
import { wholeNumber } from './option-values.ts'

const region = (text: string): string => {
  if (regionField.safeParse(text).success) return text
  throw new InvalidArgumentError('It must be a six-digit division code such as 610100.')
}
const days = wholeNumber(1, 3_660)

export function keysCommand(): Command {
  const command = new Command('keys')
    .description('signing keys of a region; private parts never leave their folder\n签名密钥：私钥不出目录')
    .addHelpText('after', help)
  withKeyOptions(
    command.command('new').description('make a region’s first key; it signs at once 生成首个密钥'),
  )
    .requiredOption('--region <code>', 'whose key it is; 100000 for a national trust root', region)
    .option('--days <days>', 'how long it may sign', days, 180)
    .action((flags: NewFlags) => inWords(() => makeKey(flags)))
  withKeyOptions(command.command('rotate').description('add the next key, remove those that are over 轮换'))
    .option(
      '--lead-hours <hours>',
      'sign with it only after so long, so that all know it',
      wholeNumber(0, 720),
      48,
    )
    .option('--days <days>', 'how long it may sign', days, 180)
    .action((flags: RotateFlags) => inWords(() => addNext(flags)))
  command
    .command('list')
    .description('say which key is in use, which is next and which is retired 列出密钥')
    .requiredOption('--dir <folder>', 'the region’s keys')
    .action(({ dir }: KeyFlags) => inWords(() => list(dir)))
  command
    .command('jwks')
    .description('print the public keys as a JWK set 输出公钥')
    .requiredOption('--dir <folder>', 'the region’s keys')
    .action(({ dir }: KeyFlags) => inWords(() => printJwks(dir)))
  return command
}

const help = `
Examples 示例:
  chiyuan keys new --dir keys/610100 --region 610100 --passphrase-file /run/credentials/610100
  chiyuan keys jwks --dir keys/610100 > 610100-jwks.json
  chiyuan keys rotate --dir keys/610100 --lead-hours 48 --passphrase-file /run/credentials/610100
  chiyuan keys rotate --dir keys/610100 --lead-hours 0     # a key was stolen: replace it now 密钥泄露，立即更换`

type NewFlags = KeyFlags & { readonly region: string; readonly days: number }
type RotateFlags = KeyFlags & { readonly leadHours: number; readonly days: number }

async function makeKey(flags: NewFlags): Promise<void> {
  const options = { nowMs: Date.now(), days: flags.days, passphrase: await passphraseOf(flags) }
  const jwk = await createFirstKey(flags.dir, flags.region, options)
  process.stdout.write(`${jwk.kid} signs for ${flags.region} now, until ${iso(jwk.exp)}\n`)
}

async function addNext(flags: RotateFlags): Promise<void> {
  const { next, removed } = await rotate(flags.dir, {
    nowMs: Date.now(),
    days: flags.days,
    leadSeconds: flags.leadHours * 3600,
    passphrase: await passphraseOf(flags),
  })
  process.stdout.write(
    `${next.kid} signs from ${iso(next.nbf)} until ${iso(next.exp)}; put it in the trust list before\n`,
  )
  for (const kid of removed) process.stdout.write(`${kid} is over, and its file is gone\n`)
}

async function list(dir: string): Promise<void> {
  const documents = await readKeyDocuments(dir)
  const owner = regionOf(documents, dir)
  const keys = documents.map(({ jwk }) => jwk)
  for (const key of stagesAt(keys, secondsOf(Date.now()))) process.stdout.write(`${lineOf(key, owner)}\n`)
}

async function printJwks(dir: string): Promise<void> {
  const documents = await readKeyDocuments(dir)
  regionOf(documents, dir)
  const jwks = jwksAt(
    documents.map(({ jwk }) => jwk),
    Date.now(),
  )
  process.stdout.write(`${JSON.stringify(jwks, null, 2)}\n`)
}

const lineOf = ({ jwk, stage }: StagedKey, owner: string): string =>
  `${jwk.kid}  ${owner}  ${stages[stage].padEnd(14)}  ${iso(jwk.nbf)}  ${iso(jwk.exp)}`

const stages: Record<StagedKey['stage'], string> = {
  next: 'next 待启用',
  signing: 'signing 签发中',
  retired: 'retired 已停签',
  over: 'over 已失效',
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
