#!/usr/bin/env node
// The `chiyuan` command.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { UsageError } from '../model/errors.ts'
import { version } from '../model/version.ts'
import { completionCommand } from './completion.ts'
import { configCommand } from './config.ts'

const oldestNode = 24
if (Number(process.versions.node.split('.')[0]) < oldestNode) {
  process.stderr.write(
    `chiyuan: this is Node.js ${process.version}, and Chiyuan needs ${oldestNode} or newer; ` +
      'install one, for example with: npm install --global node@26\n',
  )
  process.exit(1)
}

const program = new Command('chiyuan')
  .description('Chiyuan 驰援: a cross-region failover federation gateway for public code services.')
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError('(add --help for what is possible)')

const port = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > 65_535) {
    throw new InvalidArgumentError('It must be a whole number from 0 to 65535.')
  }
  return value
}

const publicPort = (): Option =>
  new Option('--public-port <port>', 'residents’ port, before the file’s').argParser(port)
const adminPort = (): Option =>
  new Option('--admin-port <port>', 'operators’ port, before the file’s').argParser(port)

const mostWorkers = 128
const workers = (text: string): number | 'auto' => {
  if (text === 'auto') return text
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > mostWorkers) {
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${mostWorkers}, or auto.`)
  }
  return value
}

interface Ports {
  readonly publicPort?: number
  readonly adminPort?: number
}

interface GatewayFlags extends Ports {
  readonly config: string
  readonly workers: number | 'auto'
  readonly insecureAdmin?: boolean
  readonly firstTokenFile?: string
}

program
  .command('gateway')
  .description('run one gateway')
  .requiredOption('-c, --config <file>', 'configuration file, such as config/demo.yaml')
  .addOption(publicPort())
  .addOption(adminPort())
  .option('--workers <n>', 'processes that serve residents; auto: one a core', workers, 1)
  .option('--insecure-admin', 'operators’ tokens may cross the network without TLS')
  .option('--first-token-file <file>', 'write the first admin’s token there instead of showing it')
  .action(async ({ config, ...options }: GatewayFlags) => {
    const { runGateway } = await import('../main.ts')
    await runGateway({ configFile: config, env: process.env, ...options })
  })

program
  .command('start')
  .description(
    'run the demo federation on this machine: one gateway and five region nodes, synthetic residents',
  )
  .addOption(publicPort())
  .addOption(adminPort())
  .option(
    '--node-port <port>',
    'first of the eight ports of the region nodes: five for residents, three for peers',
    port,
    9101,
  )
  .action(async (ports: Ports & { nodePort: number }) => {
    const { startDemo } = await import('./start.ts')
    await startDemo(ports)
  })

program.addCommand(configCommand())
program.addCommand(completionCommand(program))

/** Each brings libraries of its own, which a gateway need not load: only the one that is named is. */
const loadable: readonly { name: string; summary: string; load: () => Promise<Command> }[] = [
  {
    name: 'region-node',
    summary: 'run one node of a region’s code service',
    load: async () => (await import('../../region-node/command.ts')).regionNodeCommand(),
  },
  {
    name: 'residents',
    summary: 'synthetic residents for a region node',
    load: async () => (await import('../../region-node/generate-command.ts')).residentsCommand(),
  },
  {
    name: 'terminals',
    summary: 'terminals that may look up residents at a region node',
    load: async () => (await import('../../region-node/terminal-command.ts')).terminalsCommand(),
  },
  {
    name: 'status',
    summary: 'the federation at a glance, what wants attention first',
    load: async () => (await import('./operators/status.ts')).statusCommand(),
  },
  {
    name: 'events',
    summary: 'what happens in the federation, as it happens',
    load: async () => (await import('./operators/events.ts')).eventsCommand(),
  },
  {
    name: 'regions',
    summary: 'all regions, or one',
    load: async () => (await import('./operators/federation.ts')).regionsCommand(),
  },
  {
    name: 'nodes',
    summary: 'all nodes, or one, and why each serves or not',
    load: async () => (await import('./operators/federation.ts')).nodesCommand(),
  },
  {
    name: 'gateways',
    summary: 'the gateways of the federation, and how each is',
    load: async () => (await import('./operators/gateways.ts')).gatewaysCommand(),
  },
  {
    name: 'explain',
    summary: 'why a resident’s request would go where',
    load: async () => (await import('./operators/explain.ts')).explainCommand(),
  },
  {
    name: 'preview',
    summary: 'what changes would do to the traffic of this moment',
    load: async () => (await import('./operators/preview.ts')).previewCommand(),
  },
  {
    name: 'hold',
    summary: 'take nodes or regions out of service, or back',
    load: async () => (await import('./operators/holds.ts')).holdCommand(),
  },
  {
    name: 'mode',
    summary: 'peacetime or emergency',
    load: async () => (await import('./operators/mode.ts')).modeCommand(),
  },
  {
    name: 'drill',
    summary: 'faults on purpose: guarded, ending by themselves, reported',
    load: async () => (await import('./operators/drill/group.ts')).drillCommand(),
  },
  {
    name: 'enrol',
    summary: 'regions that offer to serve others’ residents',
    load: async () => (await import('./operators/enrol.ts')).enrolCommand(),
  },
  {
    name: 'tokens',
    summary: 'access tokens of operators',
    load: async () => (await import('./operators/tokens.ts')).tokensCommand(),
  },
  {
    name: 'audit',
    summary: 'what was done and tried, by whom and why',
    load: async () => (await import('./operators/audit.ts')).auditCommand(),
  },
  {
    name: 'me',
    summary: 'who you are to the gateway, and what you may do',
    load: async () => (await import('./operators/me.ts')).meCommand(),
  },
  {
    name: 'subject-tokens',
    summary: 'subject tokens of documents, and the peppers behind them',
    load: async () => (await import('../../region-node/subject-tokens-command.ts')).subjectTokensCommand(),
  },
  {
    name: 'verify',
    summary: 'judge a code offline, by the lists given',
    load: async () => (await import('./verify.ts')).verifyCommand(),
  },
  {
    name: 'conform',
    summary: 'hold any vendor’s region node to the contract',
    load: async () => (await import('./conform.ts')).conformCommand(),
  },
  {
    name: 'keys',
    summary: 'signing keys of a region',
    load: async () => (await import('./keys.ts')).keysCommand(),
  },
  {
    name: 'trust',
    summary: 'sign the lists that verifiers go by',
    load: async () => (await import('./trust.ts')).trustCommand(),
  },
  {
    name: 'state',
    summary: 'back up what operators have decided, and put it back',
    load: async () => (await import('./state.ts')).stateCommand(),
  },
  {
    name: 'peers',
    summary: 'certificates by which regions know each other',
    load: async () => (await import('./peers.ts')).peersCommand(),
  },
]

// Second or third: `chiyuan verify …`, `chiyuan help verify`. Completion is made of them all.
const loadsAll = process.argv[2] === 'completion'
for (const { name, summary, load } of loadable) {
  if (loadsAll || process.argv.slice(2, 4).includes(name)) program.addCommand(await load())
  else program.command(name).description(summary)
}

try {
  await program.parseAsync()
} catch (cause) {
  if (cause instanceof CommanderError) process.exitCode = cause.exitCode
  else if (cause instanceof UsageError) {
    process.stderr.write(`chiyuan: ${cause.message}\n`)
    process.exitCode = 1
  } else throw cause
}
