// The `region-node` subcommand: its flags, their meaning and what they accept.
import { Command } from 'commander'
import { consulFields } from './consul-options.ts'
import type { ConsulOptions } from './consul-options.ts'
import { check, many, text, whole } from './flags.ts'
import { defaultAgentAddress } from './registration/agent.ts'
import { optionDefaults, optionFields } from './options.ts'
import { consulTokenVariable, runRegionNodeProcess } from './process.ts'
import type { ProcessOptions } from './process.ts'
import { passphraseVariable } from './signing/passphrase.ts'

// Long enough for a prober that asks every second to hear it before the port is gone.
const NOTICE_MS = 1_500

interface Flags {
  readonly host: string
  readonly port: number
  readonly region: string
  readonly name?: string
  readonly data: string
  readonly residents: number
  readonly holds: string[]
  readonly limit: number
  readonly cardLimit: number
  readonly drainMs: number
  readonly noticeMs: number
  readonly maxReplicaAgeMs?: number
  readonly keys?: string
  readonly passphraseFile?: string
  readonly trustRoot?: string
  readonly trustList?: string
  readonly revocations: readonly string[]
  readonly peerHost?: string
  readonly peerPort?: number
  readonly peerCert?: string
  readonly peerKey?: string
  readonly peerCa?: string
  readonly agreements?: string
  readonly follow: Followed[]
  readonly consul?: string | true
  readonly consulAddress?: string
  readonly consulWeight?: number
  readonly consulTokenFile?: string
  readonly consulCa?: string
  readonly consulCert?: string
  readonly consulKey?: string
  readonly logJson?: true
}

/** A fresh `region-node` command, to be run by itself or mounted in another. */
export function regionNodeCommand(): Command {
  const { host, port, regionCode, dataFile, residents, limit, cardLimit, drainMs } = optionDefaults
  const command = new Command('region-node')
    .description(
      "Run one node of a region's code service: show and verify codes, take test results.\n" +
        'All residents are synthetic: made from their ids, R<region>-000001 and so on.',
    )
    .option('--host <address>', 'address to listen on', text(optionFields.host), host)
    .option('--port <number>', 'port to listen on; 0 takes a free one', whole(optionFields.port), port)
    .option('--region <code>', 'the region whose node this is', text(optionFields.regionCode), regionCode)
    .option('--name <name>', 'name of this node (default: <region>-1)', text(optionFields.nodeName))
    .option(
      '--data <file>',
      'SQLite file that keeps the data; :memory: forgets',
      text(optionFields.dataFile),
      dataFile,
    )
    .option(
      '--residents <count>',
      'synthetic residents of each region',
      whole(optionFields.residents),
      residents,
    )
    .option('--holds <codes>', 'other regions to stand in for, such as 610100,610400', regionList, [])
    .option('--limit <count>', 'requests served at once; above it, 503', whole(optionFields.limit), limit)
    .option(
      '--card-limit <count>',
      'batches of ID cards looked up at once, beside --limit',
      whole(optionFields.cardLimit),
      cardLimit,
    )
    .option(
      '--drain-ms <ms>',
      'on stop, wait so long for requests in flight',
      whole(optionFields.drainMs),
      drainMs,
    )
    .option(
      '--notice-ms <ms>',
      'on stop, say so on /readyz so long before',
      whole(optionFields.noticeMs),
      NOTICE_MS,
    )
    .option(
      '--max-replica-age-ms <ms>',
      'not ready once a held copy is older (default: never)',
      whole(optionFields.maxReplicaAgeMs),
    )
    .option('--log-json', 'say that it is ready as a line of JSON')
    .addHelpText('after', EXAMPLES)
    .action((flags: Flags) => {
      const peer = peerOf(flags)
      if (peer === null) command.error('error: --peer-cert, --peer-key and --peer-ca are needed together')
      const consul = consulOf(flags)
      if (consul === null)
        command.error('error: --consul-… options are for a node that enters itself by --consul')
      return runRegionNodeProcess({ ...toOptions(flags), ...peer, ...consul })
    })
  return withConsulOptions(withPeerOptions(withSigningOptions(command)))
}

const withSigningOptions = (command: Command): Command =>
  command
    .option(
      '--keys <folder>',
      'this region’s signing keys; a first one is made where there is none',
      text(optionFields.keyFolder),
    )
    .option(
      '--passphrase-file <file>',
      `file of mode 0600 that opens sealed keys (default: ${passphraseVariable})`,
    )
    .option(
      '--trust-root <file>',
      'public JWK of the trust root, by which lists are believed',
      text(optionFields.trustRoot),
    )
    .option(
      '--trust-list <file>',
      'signed trust list; read again when it changes',
      text(optionFields.trustList),
    )
    .option(
      '--revocations <files...>',
      'signed revocation lists; read again when they change',
      many(optionFields.trustList),
      [],
    )

type Followed = NonNullable<ProcessOptions['follow']>[number]

const withPeerOptions = (command: Command): Command =>
  command
    .option(
      '--peer-host <address>',
      'address of the listener for peers (default: --host)',
      text(optionFields.host),
    )
    .option(
      '--peer-port <number>',
      'port at which donors follow this region; 0 takes a free one',
      whole(optionFields.port),
    )
    .option('--peer-cert <file>', 'certificate of this region, for mutual TLS with peers')
    .option('--peer-key <file>', 'its private key')
    .option('--peer-ca <file>', 'authority that signs the certificates of all regions')
    .option('--agreements <file>', 'JSON file that names this region’s donors; read again when it changes')
    .option(
      '--follow <region=urls...>',
      'stand in for a home with its own data: 610100=https://HOST:PORT,https://HOST:PORT',
      followed,
      [],
    )

const withConsulOptions = (command: Command): Command =>
  command
    .option(
      '--consul [url]',
      `enter this node in Consul’s catalogue by its agent (default: ${defaultAgentAddress})`,
      text(consulFields.address),
    )
    .option(
      '--consul-address <host>',
      'where gateways reach this node, as Consul tells them (default: --host)',
      text(consulFields.advertise),
    )
    .option('--consul-weight <number>', 'share of its level relative to its siblings (default: 1)', (value) =>
      check(consulFields.weight, value === '' ? Number.NaN : Number(value)),
    )
    .option(
      '--consul-token-file <file>',
      `file with Consul’s ACL token, read at every request (default: ${consulTokenVariable})`,
      text(consulFields.file),
    )
    .option('--consul-ca <file>', 'authority of the agent’s certificate, for https', text(consulFields.file))
    .option('--consul-cert <file>', 'certificate for an agent that asks for one', text(consulFields.file))
    .option('--consul-key <file>', 'its private key', text(consulFields.file))

/** @returns Nothing where no flag names Consul; `null` where one is given without `--consul`. */
function consulOf(flags: Flags): { readonly consul?: ConsulOptions } | null {
  const { consul, consulAddress, consulWeight, consulTokenFile, consulCa, consulCert, consulKey } = flags
  const given = [consulAddress, consulWeight, consulTokenFile, consulCa, consulCert, consulKey]
  if (consul === undefined) return given.every((value) => value === undefined) ? {} : null
  return {
    consul: {
      ...(consul !== true && { address: consul }),
      ...(consulAddress !== undefined && { advertise: consulAddress }),
      ...(consulWeight !== undefined && { weight: consulWeight }),
      ...(consulTokenFile !== undefined && { tokenFile: consulTokenFile }),
      ...(consulCa !== undefined && { caFile: consulCa }),
      ...(consulCert !== undefined && { certFile: consulCert }),
      ...(consulKey !== undefined && { keyFile: consulKey }),
    },
  }
}

function followed(value: string, before: Followed[]): Followed[] {
  const [region = '', urls = ''] = value.split('=', 2)
  return check(optionFields.follow, [
    ...before,
    { region, urls: urls.split(',').filter((url) => url !== '') },
  ])
}

const EXAMPLES = `
Examples:
  A node of Xi'an, and one of Xianyang that can stand in for it:
    region-node --region 610100 --port 9101 --name xian-1 --keys keys/610100
    region-node --region 610400 --port 9201 --name xianyang-1 --holds 610100 --keys keys/610400 \\
      --trust-root root.json --trust-list trust.jws
  Ask it:
    curl http://127.0.0.1:9101/v1/codes/R610100-000001
    curl http://127.0.0.1:9101/readyz

Stop it with Ctrl-C or SIGTERM: it finishes what it is answering. A second signal ends it at once.`

function peerOf({ peerCert, peerKey, peerCa }: Flags): Pick<ProcessOptions, 'peer'> | null {
  const given = [peerCert, peerKey, peerCa].filter((file) => file !== undefined)
  if (given.length === 0) return {}
  if (peerCert !== undefined && peerKey !== undefined && peerCa !== undefined) {
    return { peer: { cert: peerCert, key: peerKey, ca: peerCa } }
  }
  return null
}

function toOptions(flags: Flags): ProcessOptions {
  const {
    region,
    name,
    data,
    logJson,
    keys,
    revocations,
    peerCert: _c,
    peerKey: _k,
    peerCa: _a,
    consul: _o,
    consulAddress: _h,
    consulWeight: _w,
    consulTokenFile: _t,
    consulCa: _ca,
    consulCert: _cc,
    consulKey: _ck,
    ...rest
  } = flags
  const signing = keys === undefined ? {} : { keyFolder: keys }
  const named = name === undefined ? {} : { nodeName: name }
  return {
    ...rest,
    ...named,
    ...signing,
    revocationLists: revocations,
    regionCode: region,
    dataFile: data,
    logJson: logJson ?? false,
  }
}

const regionList = (value: string): string[] =>
  check(
    optionFields.holds,
    value
      .split(',')
      .map((code) => code.trim())
      .filter((code) => code !== ''),
  )
