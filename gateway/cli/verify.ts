// `chiyuan verify`: judges a code without a network, and says so by its exit code.
import { Command } from 'commander'
import { emptyLists, takeRevocationList, takeTrustList } from '../../region-node/verify/lists.ts'
import type { Lists, Taken } from '../../region-node/verify/lists.ts'
import { readRoots } from '../../region-node/verify/roots.ts'
import type { Outcome, Verdict } from '../../region-node/verify/verdict.ts'
import { verifyCode } from '../../region-node/verify/verify-code.ts'
import { UsageError } from '../model/errors.ts'
import { allOrEveryFault } from './every-fault.ts'
import { parseJson, readInput } from './input-file.ts'
import { instant, wholeNumber } from './option-values.ts'
import { verdictReport } from './verify-report.ts'

/** 1 is for what can't be carried out at all: a wrong option, an unreadable file, a list that must not be believed. */
const exitCodes: Record<Outcome, number> = {
  valid: 0,
  expired: 10,
  'not-yet-valid': 11,
  tampered: 12,
  revoked: 13,
  'unknown-issuer': 14,
  undelegated: 15,
  'list-too-old': 16,
  malformed: 17,
  // Not 0: whoever reads 0 as "look at the colour" would find none.
  'genuine-paper': 18,
}

interface Flags {
  readonly trustList: string
  readonly revocations?: readonly string[]
  readonly root: string
  readonly at?: number
  readonly maxListAgeHours: number
  readonly json?: true
}

const maxBytes = { code: 64 * 1024, root: 64 * 1024, list: 16 * 1024 * 1024 }

export function verifyCommand(): Command {
  return new Command('verify')
    .description('judge a code offline, by the lists given\n离线验码：只凭所给清单判断真伪与时效')
    .argument('<code>', 'the code, a file that holds it, or - for standard input')
    .requiredOption('--trust-list <file>', 'signed trust list 信任清单')
    .requiredOption('--root <file>', 'public JWK, or set of them, of who signs trust lists 信任根公钥')
    .option('--revocations <files...>', 'signed revocation lists 撤销清单; give the code before them')
    .option('--at <time>', 'judge as of this time, ISO 8601 (default: now)', instant)
    .option('--max-list-age-hours <hours>', 'go by no older list', wholeNumber(1, 24 * 366), 48)
    .option('--json', 'print the verdict as JSON')
    .addHelpText('after', help)
    .action(async (code: string, flags: Flags) => {
      const verdict = await judge(code, flags)
      process.stdout.write(flags.json === true ? `${JSON.stringify(verdict)}\n` : verdictReport(verdict))
      process.exitCode = exitCodes[verdict.outcome]
    })
}

const help = `
Exit code 退出码: ${Object.entries(exitCodes)
  .map(([outcome, code]) => `${code} ${outcome}`)
  .join(', ')};
1 when nothing could be judged 无法判断. Valid means genuine and in time; the colour is for you to read.
有效仅指真实且在有效期内，颜色须另行查看。
A genuine paper code tells no colour: look it up online 纸质码不含颜色，须联网查询.

Examples 示例:
  chiyuan verify eyJhbGciOi... --root root.jwk --trust-list trust.jws
  chiyuan verify code.txt --root root.jwk --trust-list trust.jws --revocations 610100.jws 610400.jws
  zbarimg -q --raw code.png | chiyuan verify - --root root.jwk --trust-list trust.jws --json
  chiyuan verify code.txt --root root.jwk --trust-list trust.jws --at 2026-01-05T09:00:00+08:00`

async function judge(code: string, flags: Flags): Promise<Verdict> {
  const nowMs = flags.at ?? Date.now()
  const [text, lists] = await allOrEveryFault([codeOf(code), listsOf(flags, nowMs)])
  const age = flags.maxListAgeHours * 3600
  const policy = { maxTrustListAgeSeconds: age, maxRevocationListAgeSeconds: age }
  return verifyCode(text, lists, { nowMs, policy })
}

/** Every code begins with the `{"` of its header in base64url; a file name hardly does. */
const codeOf = async (given: string): Promise<string> =>
  given.startsWith('eyJ') ? given : (await readInput(given, 'a code', maxBytes.code)).trim()

async function listsOf({ root, trustList, revocations = [] }: Flags, nowMs: number): Promise<Lists> {
  const [roots, trust, ...texts] = await allOrEveryFault([
    rootsOf(root),
    readList(trustList, 'the trust list'),
    ...revocations.map((file) => readList(file, 'a revocation list')),
  ])
  let lists = mustTake(await takeTrustList(roots, trust, { nowMs }), trustList)
  for (const [i, text] of texts.entries()) {
    const taken = await takeRevocationList(lists, text, { nowMs })
    // An older list of a key whose newer one was given too adds nothing.
    if (!taken.ok && taken.reason === 'rollback') continue
    lists = mustTake(taken, revocations[i] ?? '')
  }
  return lists
}

async function rootsOf(file: string): Promise<Lists> {
  const text = await readInput(file, 'the trust root', maxBytes.root)
  const read = await readRoots(parseJson(text, file))
  if (read.ok) return emptyLists(read.roots)
  throw new UsageError(
    `${file}: ${read.detail}; give a public key, as printed by: chiyuan keys jwks --dir <folder of the root>`,
  )
}

const readList = async (file: string, what: string): Promise<string> =>
  (await readInput(file, what, maxBytes.list)).trim()

function mustTake(taken: Taken, file: string): Lists {
  if (taken.ok) return taken.lists
  throw new UsageError(`${file}: not to be gone by (${taken.reason}): ${taken.detail}`)
}
