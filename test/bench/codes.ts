// What a code costs: signing and verifying by our code, beside node:crypto's own calls. `taskset -c 1 node test/bench/codes.ts`
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { join } from 'node:path'
import { CodeSigner } from '../../region-node/signing/code-signer.ts'
import type { CodeSubject } from '../../region-node/signing/code-signer.ts'
import { KeyRing } from '../../region-node/signing/key-ring.ts'
import { signRevocationList, signTrustList } from '../../region-node/signing/list-signer.ts'
import { createFirstKey } from '../../region-node/signing/rotation.ts'
import { emptyLists, takeRevocationList, takeTrustList } from '../../region-node/verify/lists.ts'
import type { Lists, Taken } from '../../region-node/verify/lists.ts'
import { readRoots } from '../../region-node/verify/roots.ts'
import { verifyCode } from '../../region-node/verify/verify-code.ts'
import { temporaryFolder } from './folder.ts'
import { median } from './stats.ts'

const rounds = 5
const callsARound = 12_000
const revokedCodes = 100_000
const nowMs = Date.now()
const time = { nowMs, validSeconds: 86_400 }
const subject: CodeSubject = { hom: '610100', sub: 'synthetic-token-000001', st: 'green', seq: 1 }

/** Microseconds of CPU a call, of the whole process and of its main thread: median of the rounds. */
async function measure(name: string, atOnce: number, call: () => unknown): Promise<void> {
  const spent: { process: number; main: number }[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const before = { process: process.cpuUsage(), main: process.threadCpuUsage() }
    for (let done = 0; done < callsARound; done += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, call))
    }
    const [whole, main] = [process.cpuUsage(before.process), process.threadCpuUsage(before.main)]
    // The first one warms up.
    if (round > 0) spent.push({ process: microseconds(whole), main: microseconds(main) })
  }
  const cost = {
    process: median(spent.map((round) => round.process)),
    main: median(spent.map((round) => round.main)),
  }
  const rate = Math.round(1e6 / cost.process).toLocaleString('en')
  const line = [name.padEnd(26), `${atOnce} at once`.padEnd(12), `${cost.process.toFixed(1)} us`]
  process.stdout.write(
    `${line.join('  ')}, ${cost.main.toFixed(1)} us of them on the main thread: ${rate}/s a core\n`,
  )
}

const microseconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / callsARound

function must(taken: Taken): Lists {
  if (taken.ok) return taken.lists
  throw new Error(taken.detail)
}

async function ringOf(folder: string, region: string): Promise<KeyRing> {
  await createFirstKey(folder, region, { nowMs, days: 2, passphrase: null })
  return KeyRing.open(folder)
}

async function listsOf(root: KeyRing, ring: KeyRing): Promise<Lists> {
  const read = await readRoots(root.jwks(nowMs))
  if (!read.ok) throw new Error(read.detail)
  const keys = [...ring.jwks(nowMs).keys]
  const trust = await signTrustList(
    root,
    { counter: 1, issuers: [{ region: ring.region, keys }], delegations: [] },
    time,
  )
  const revoked = Array.from({ length: revokedCodes }, (_, i) => ({
    rid: `rid-${String(i).padStart(8, '0')}`,
  }))
  const revocations = await signRevocationList(ring, { counter: 1, kid: keys[0]?.kid ?? '', revoked }, time)
  const lists = must(await takeTrustList(emptyLists(read.roots), trust, { nowMs }))
  const begun = performance.now()
  const complete = must(await takeRevocationList(lists, revocations, { nowMs }))
  const took = Math.round(performance.now() - begun)
  process.stdout.write(
    `a list of ${revokedCodes} revoked codes: ${revocations.length} characters, taken in ${took} ms\n`,
  )
  return complete
}

await using folder = await temporaryFolder('codes')
const [root, ring] = [
  await ringOf(join(folder.path, 'root'), '100000'),
  await ringOf(join(folder.path, 'xian'), '610100'),
]
const lists = await listsOf(root, ring)
const signer = new CodeSigner({ ring, delegations: () => [] })
const signed = await signer.display(subject, { nowMs })
if (!signed.ok) throw new Error(signed.reason)
const { text } = signed.code
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const input = Buffer.from(text.slice(0, text.lastIndexOf('.')))
const own = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
const theirs = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
const signature = sign('sha256', input, own)
for (const atOnce of [1, 16]) {
  await measure('CodeSigner.display', atOnce, () => signer.display(subject, { nowMs }))
  await measure('verifyCode', atOnce, () => verifyCode(text, lists, { nowMs }))
}
await measure('node:crypto sign', 1, () => sign('sha256', input, own))
await measure('node:crypto verify', 1, () => verify('sha256', input, theirs, signature))
