// The benchmark: Chiyuan beside nginx, HAProxy, Caddy and the naive stack, on this machine. `npm run bench -- --help`
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contenders } from './contenders/all.ts'
import type { Contender } from './contenders/contender.ts'
import { findWrong } from './correctness.ts'
import { type CpuOptions, cpuStepMs, cpuSteps, measureCpu } from './cpu.ts'
import { type FaultOptions, faultStepMs, faultSteps, measureFaults } from './faults.ts'
import { FlagError, type Flags, help, readFlags } from './flags.ts'
import { removeFolders } from './folder.ts'
import { choosePinning, describeMachine, pinMyself } from './machine.ts'
import { killAll } from './processes.ts'
import { Quiet } from './quiet.ts'
import { toMarkdown } from './report/markdown.ts'
import { Progress } from './report/progress.ts'
import type { Report } from './report/results.ts'

const checkMs = 4000

const cpuOptions = ({ rounds, seconds, quick }: Flags): CpuOptions => ({
  rounds,
  seconds,
  warmUpSeconds: quick ? 1 : 2,
  connections: 32,
})

const faultOptions = ({ quick }: Flags): FaultOptions => ({
  ratePerSecond: 200,
  warmUpMs: quick ? 1000 : 3000,
  faultAtMs: quick ? 1000 : 3000,
  recoverAtMs: quick ? 3000 : 8000,
  endAtMs: quick ? 4000 : 12_000,
  clientTimeoutMs: 10_000,
})

async function run(flags: Flags, abort: AbortController): Promise<Report> {
  const { signal } = abort
  const pinning = choosePinning()
  if (pinning !== null) pinMyself(pinning)
  const chosen = contenders.filter(({ name }) => flags.contenders.includes(name))
  const cpu = flags.only === 'faults' ? null : cpuOptions(flags)
  const faults = flags.only === 'cpu' ? null : faultOptions(flags)
  const proxies = chosen.filter((contender) => contender.proxies).length
  const expectedMs =
    chosen.length * checkMs +
    (cpu === null ? 0 : cpuSteps(chosen.length, cpu) * cpuStepMs(cpu)) +
    (faults === null ? 0 : faultSteps(proxies) * faultStepMs(faults))
  const watchdog = setTimeout(
    () => abort.abort(new Error('it took twice as long as expected; given up')),
    expectedMs * 2 + 360_000,
  )
  watchdog.unref()
  const progress = new Progress(expectedMs)
  const quiet = new Quiet(pinning, flags.quick ? 0 : 240_000)
  try {
    if (pinning === null) progress.say('one core only, or no taskset: nothing is pinned')
    progress.eachStepMs = checkMs
    const { fit, leftOut } = await chooseFit(chosen, pinning, progress, signal)
    if (cpu !== null) progress.eachStepMs = cpuStepMs(cpu)
    const all = fit.map(({ contender }) => contender)
    const cpuPart = cpu === null ? null : await measureCpu(all, cpu, pinning, quiet, progress, signal)
    const gateways = all.filter((contender) => contender.proxies)
    if (faults !== null) progress.eachStepMs = faultStepMs(faults)
    const faultPart =
      faults === null ? null : await measureFaults(gateways, faults, pinning, quiet, progress, signal)
    const changed = fit.filter(({ contender, version }) => contender.version() !== version)
    return {
      date: new Date().toISOString(),
      machine: describeMachine(pinning),
      quick: flags.quick,
      contenders: fit.map(({ contender: { name, title }, version }) => ({ name, title, version })),
      leftOut,
      changedMeanwhile: changed.map(({ contender }) => contender.name),
      cpu: cpuPart,
      faults: faultPart,
    }
  } finally {
    progress.close()
    clearTimeout(watchdog)
  }
}

interface Fit {
  readonly contender: Contender
  /** When the run began. */
  readonly version: string
}

/** Those that are installed and do what a gateway must. */
async function chooseFit(
  chosen: readonly Contender[],
  pinning: ReturnType<typeof choosePinning>,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ fit: readonly Fit[]; leftOut: Report['leftOut'] }> {
  const cores = { proxy: pinning?.proxy ?? null, load: pinning?.load ?? null }
  const fit: Fit[] = []
  const leftOut: { name: string; why: string }[] = []
  for (const contender of chosen) {
    progress.begin(`does ${contender.name} answer rightly?`)
    const version = contender.version()
    const wrong = version === null ? 'not installed' : await findWrong(contender, cores, signal)
    signal.throwIfAborted()
    progress.end()
    if (version !== null && wrong === null) fit.push({ contender, version })
    else if (wrong !== null) {
      leftOut.push({ name: contender.name, why: wrong })
      progress.say(`${contender.name} is left out: ${wrong}`)
    }
  }
  return { fit, leftOut }
}

/** The first signal ends the run in order; a second one at once. */
function endOnSignals(abort: AbortController): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (abort.signal.aborted) process.exit(130)
      process.stderr.write('\nending what was started…\n')
      abort.abort(new Error(`ended by ${name}`))
    })
  }
  process.on('exit', () => {
    killAll()
    removeFolders()
  })
  // The terminal may be gone before us; what is written to it then is lost, and nothing else.
  process.stderr.on('error', () => {})
  process.stdout.on('error', () => {})
}

async function main(): Promise<number> {
  const flags = readFlags(process.argv.slice(2))
  if (flags.help) {
    process.stdout.write(help)
    return 0
  }
  if (process.platform !== 'linux')
    throw new FlagError('CPU time is read from /proc, so this runs on Linux only')
  const abort = new AbortController()
  endOnSignals(abort)
  const report = await run(flags, abort).catch((cause: unknown) => {
    throw abort.signal.aborted ? abort.signal.reason : cause
  })
  const markdown = toMarkdown(report)
  if (flags.out !== null) {
    await mkdir(flags.out, { recursive: true })
    await writeFile(join(flags.out, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`)
    await writeFile(join(flags.out, 'latest.md'), markdown)
    process.stderr.write(`written: ${flags.out}/latest.json and latest.md\n`)
  }
  process.stdout.write(markdown)
  return report.leftOut.some(({ name }) => name === 'chiyuan') ? 1 : 0
}

try {
  process.exitCode = await main()
} catch (cause) {
  if (cause instanceof FlagError) {
    process.stderr.write(`bench: ${cause.message} (--help shows what is possible)\n`)
    process.exitCode = 2
  } else {
    const why = cause instanceof Error ? cause.message : String(cause)
    process.stderr.write(`bench: ${why}\n`)
    process.exitCode = why.startsWith('ended by') ? 130 : 1
  }
}
