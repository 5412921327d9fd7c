// `chiyuan peers`: the certificates by which regions know each other, for a federation without an authority of its own.
import { X509Certificate } from 'node:crypto'
import { Command, InvalidArgumentError } from 'commander'
import { hostField, mostAuthorityDays, mostPeerDays } from '../../region-node/peers/certificates.ts'
import { regionOfPeer } from '../../region-node/peers/identity.ts'
import {
  createAuthority,
  hostsIn,
  issueInto,
  readAuthority,
  readCertificate,
  renewIn,
} from '../../region-node/peers/certificate-files.ts'
import { regionField } from '../../region-node/verify/fields.ts'
import { UsageError } from '../model/errors.ts'
import { inWords } from './key-access.ts'
import { wholeNumber } from './option-values.ts'

interface AuthorityFlags {
  readonly dir: string
  readonly name: string
  readonly days: number
  readonly force?: true
}

interface IssueFlags {
  readonly dir: string
  readonly region: string
  readonly host?: readonly string[]
  readonly days: number
  readonly out: string
  readonly force?: true
  readonly renew?: true
}

const region = (text: string): string => {
  if (regionField.safeParse(text).success) return text
  throw new InvalidArgumentError('It must be a six-digit division code such as 610100.')
}

const hosts = (text: string, before: readonly string[] = []): readonly string[] => {
  const read = hostField.safeParse(text)
  if (read.success) return [...before, text]
  throw new InvalidArgumentError(`It must be ${read.error.issues.map(({ message }) => message).join('; ')}.`)
}

export function peersCommand(): Command {
  const command = new Command('peers')
    .description('certificates by which regions know each other 地区之间互认的证书')
    .addHelpText('after', help)
  command
    .command('ca')
    .description('make the authority that signs them; keep its key off the nodes 生成签发机构')
    .requiredOption('--dir <folder>', 'folder for ca.pem and ca-key.pem, mode 0700 目录')
    .option('--name <name>', 'as it stands in its certificates 名称', 'Chiyuan regions')
    .option('--days <days>', 'how long it may sign 有效天数', wholeNumber(1, mostAuthorityDays), 3_650)
    .option('--force', 'replace it: every region needs a new certificate then 覆盖')
    .action((flags: AuthorityFlags) => inWords(() => makeAuthority(flags)))
  command
    .command('issue')
    .description('issue a region’s certificate and key 签发地区证书')
    .requiredOption('--dir <folder>', 'the authority’s folder 签发机构目录')
    .requiredOption('--region <code>', 'whose it is 地区', region)
    .option('--host <host>', 'DNS name or IP address of its node; may be repeated 节点地址，可重复', hosts)
    .option('--days <days>', 'how long it is valid 有效天数', wholeNumber(1, mostPeerDays), 90)
    .requiredOption('--out <folder>', 'folder for peer.pem, peer-key.pem and ca.pem, mode 0700 输出目录')
    .option('--renew', 'a new certificate for the key in --out, put in place whole 续期，保留私钥')
    .option('--force', 'replace what is in --out, with a new key 覆盖，更换私钥')
    .action((flags: IssueFlags) => inWords(() => issue(flags)))
  command
    .command('show')
    .description('say whose a certificate is, and until when; exit 1 if it is of no use now 查看证书')
    .argument('<file>', 'its PEM file 证书文件')
    .action((file: string) => inWords(() => show(file)))
  return command
}

const help = `
Examples 示例:
  chiyuan peers ca --dir peers/authority --name "Shaanxi regions"
  chiyuan peers issue --dir peers/authority --region 610400 --host node.610400.example --host 192.0.2.4 --out peers/610400
  chiyuan peers issue --dir peers/authority --region 610400 --out peers/610400 --renew
  chiyuan peers show peers/610400/peer.pem`

async function makeAuthority({ dir, name, days, force }: AuthorityFlags): Promise<void> {
  const { certificate } = await createAuthority(
    dir,
    { name, days, nowMs: Date.now() },
    force === undefined ? 'new' : 'replace',
  )
  tell(certificate)
}

async function issue({ dir, region: code, host, days, out, force, renew }: IssueFlags): Promise<void> {
  if (force !== undefined && renew !== undefined) {
    throw new UsageError('--renew keeps the key and --force replaces it; give one of them')
  }
  const authority = await readAuthority(dir)
  const request = { region: code, days, nowMs: Date.now() }
  if (renew !== undefined) return tell(await renewIn(out, authority, { ...request, hosts: host ?? null }))
  if (host === undefined) {
    throw new UsageError(
      '--host is missing; name each DNS name or IP address at which the region’s node listens',
    )
  }
  const writing = force === undefined ? 'new' : 'replace'
  tell(await issueInto(out, authority, { ...request, hosts: [...host] }, writing))
}

async function show(file: string): Promise<void> {
  const text = await readCertificate(file)
  tell(text)
  if (stateOf(new X509Certificate(text), Date.now()).fault) process.exitCode = 1
}

function tell(pem: string): void {
  const certificate = new X509Certificate(pem)
  const lines = [
    ['region 地区', whose(certificate)],
    ['names 地址', hostsIn(certificate.subjectAltName).join(', ') || '-'],
    ['issuer 签发者', certificate.issuer.replaceAll('\n', ', ')],
    ['until 有效期至', `${iso(certificate.validToDate)} ${stateOf(certificate, Date.now()).text}`],
    ['SHA-256 指纹', certificate.fingerprint256],
  ]
  process.stdout.write(`${lines.map((line) => line.join('  ')).join('\n')}\n`)
}

const whose = (certificate: X509Certificate): string =>
  regionOfPeer(certificate.subjectAltName) ??
  (certificate.ca ? 'none, an authority 无，签发机构' : 'none, so peers refuse it 无，对方会拒绝')

function stateOf(certificate: X509Certificate, nowMs: number): { text: string; fault: boolean } {
  const days = Math.floor((certificate.validToDate.getTime() - nowMs) / 86_400_000)
  if (certificate.validFromDate.getTime() > nowMs) return { text: 'not valid yet 尚未生效', fault: true }
  if (certificate.validToDate.getTime() <= nowMs) return { text: 'over 已过期', fault: true }
  const fault = !certificate.ca && regionOfPeer(certificate.subjectAltName) === null
  return { text: `${days} days left 剩余 ${days} 天`, fault }
}

const iso = (date: Date): string => date.toISOString().replace('.000Z', 'Z')
