// `chiyuan conform`: holds any vendor's region node to the contract, and prints a scorecard.
import { Command, InvalidArgumentError } from 'commander'
import { cardJson, cardText } from '../../region-node/conformance/card.ts'
import { NoAnswer } from '../../region-node/conformance/client.ts'
import { runConformance } from '../../region-node/conformance/run.ts'
import type { RunOptions } from '../../region-node/conformance/run.ts'
import type { RootKey } from '../../region-node/verify/lists.ts'
import { readRoots } from '../../region-node/verify/roots.ts'
import { UsageError } from '../model/errors.ts'
import { parseJson, readInput } from './input-file.ts'
import { wholeNumber } from './option-values.ts'

const EXIT = { conforms: 0, fails: 1, notRun: 2 }
const MOST_ROOT_BYTES = 64 * 1024
const MOST_CODE_BYTES = 4096

interface Flags {
  readonly home: string
  readonly otherHome: string
  readonly resident?: readonly string[]
  readonly trustRoot?: string
  readonly expiredCode?: string
  readonly write?: true
  readonly overload?: true
  readonly timeoutMs: number
  readonly json?: true
}

export function conformCommand(): Command {
  return new Command('conform')
    .description(
      'hold any vendor’s region node to the contract, and print a scorecard\n按契约检验区域节点并出具评分表',
    )
    .argument('<url>', 'of the node, such as http://127.0.0.1:9101', httpUrl)
    .requiredOption('--home <region>', 'whose residents it must serve 所服务地区', division)
    .option('--other-home <region>', 'one that it must not serve 不得承载的地区', division, '999999')
    .option(
      '--resident <id>',
      'synthetic test resident, repeatable 合成居民 (default: R<home>-000001 to 000003)',
      oneMore,
    )
    .option('--trust-root <file>', 'your own trust root 自持信任根; without it the node’s is believed')
    .option('--expired-code <file>', 'a code of this node that has run out 该节点已过期的码')
    .option('--write', 'also checks that write: a test system only 含写入检查，仅限测试系统')
    .option('--overload', 'also fill the node to its limit 含满载检查')
    .option('--timeout-ms <ms>', 'of each request 单次请求时限', wholeNumber(100, 60_000), 5_000)
    .option('--json', 'print the card as JSON')
    .addHelpText('after', help)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT.notRun))
    .action(conform)
}

const help = `
Exit code 退出码: 0 conforms 符合, 1 a must failed 有必备项不符, 2 could not run 无法检验.
--write hands in registrations and a positive test, which turns the last resident red for good.
--write 会登记并录入一条阳性结果，末位居民将转红且不可撤回。

Examples 示例:
  chiyuan conform http://127.0.0.1:9101 --home 610100
  chiyuan conform https://node.test:9443 --home 610100 --trust-root root.json --write --overload --json`

async function conform(url: URL, flags: Flags): Promise<void> {
  try {
    const { home, otherHome, timeoutMs } = flags
    if (home === otherHome)
      throw new UsageError(`--other-home ${otherHome}: the same as --home; name another`)
    const [first, ...others] = flags.resident ?? [1, 2, 3].map((number) => `R${home}-00000${number}`)
    const card = await runConformance({
      url,
      home,
      otherHome,
      residents: [first ?? `R${home}-000001`, ...others],
      roots: flags.trustRoot === undefined ? undefined : await rootsIn(flags.trustRoot),
      expiredCode: flags.expiredCode === undefined ? undefined : await codeIn(flags.expiredCode),
      write: flags.write === true,
      overload: flags.overload === true,
      timeoutMs,
      ...progressLine(),
    })
    clearLine()
    process.stdout.write(flags.json === true ? cardJson(card) : cardText(card))
    process.exitCode = card.conforms ? EXIT.conforms : EXIT.fails
  } catch (cause) {
    if (!(cause instanceof UsageError || cause instanceof NoAnswer)) throw cause
    clearLine()
    const todo = cause instanceof NoAnswer ? `; is there a node at ${url.origin}? 该地址没有节点应答` : ''
    process.stderr.write(`chiyuan: ${cause.message}${todo}\n`)
    process.exitCode = EXIT.notRun
  }
}

const progressLine = (): Pick<RunOptions, 'onProgress'> =>
  process.stderr.isTTY
    ? { onProgress: (done, of, id) => process.stderr.write(`\r\u001B[K${done}/${of} ${id}`) }
    : {}

const clearLine = (): unknown => process.stderr.isTTY && process.stderr.write('\r\u001B[K')

function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain = url?.username === '' && url.password === '' && url.pathname === '/' && url.search === ''
  if (url !== undefined && plain && /^https?:$/.test(url.protocol)) return url
  throw new InvalidArgumentError(
    'It must be http:// or https://, host and port alone, such as http://127.0.0.1:9101.',
  )
}

function division(text: string): string {
  if (/^[1-9]\d{5}$/.test(text)) return text
  throw new InvalidArgumentError('It must be a six-digit division code such as 610100.')
}

function oneMore(text: string, before: readonly string[] = []): readonly string[] {
  // Short ones would be found in answers by chance, and taken for a leak.
  if (/^[A-Za-z0-9_-]{8,64}$/.test(text)) return [...before, text]
  throw new InvalidArgumentError('It must be 8 to 64 letters, digits, "_" or "-", such as R610100-000001.')
}

const codeIn = async (file: string): Promise<string> =>
  (await readInput(file, 'a code that has run out', MOST_CODE_BYTES)).trim()

async function rootsIn(file: string): Promise<readonly RootKey[]> {
  const read = await readRoots(parseJson(await readInput(file, 'the trust root', MOST_ROOT_BYTES), file))
  if (read.ok) return read.roots
  throw new UsageError(`${file}: ${read.detail}; give the public JWK of the trust root`)
}
