// The benchmark: Chiyuan beside nginx, HAProxy, Caddy and the naive stack, on this machine. `npm run bench -- --help`
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { contenders } from './contenders/all.ts'
import type { Contender, Part } from './contenders/contender.ts'
import { findWrong } from './correctness.ts'
import { cpuMs, type CpuOptions, measureCpu } from './cpu.ts'
import { faultMs, type FaultOptions, measureFaults } from './faults.ts'
import { FlagError, type Flags, help, readFlags } from './flags.ts'
import { removeFolders } from './folder.ts'
import { choosePinning, describeMachine, pinMyself } from './machine.ts'
import { killAll } from './processes.ts'
import { Quiet } from './quiet.ts'
import { toMarkdown } from './report/markdown.ts'
import { Progress } from './report/progress.ts'
import type { Report } from './report/results.ts'
import { measureSaturation, saturationMs, type SaturationOptions } from './saturation.ts'
import { saturationScenarios } from './saturation-scenarios.ts'
import { scenarios } from './scenarios.ts'

const checkMs = 4000

const cpuOptions = ({ rounds, seconds, quick }: Flags): CpuOptions => ({
  rounds,
  seconds,
  warmUpSeconds: quick ? 1 : 2,
  connections: 32,
})

const faultOptions = ({ quick, scenarios: chosen }: Flags): FaultOptions => ({
  scenarios: scenarios.filter(({ name }) => chosen.includes(name)),
  ratePerSecond: 200,
  warmUpMs: quick ? 1000 : 3000,
  faultAtMs: quick ? 1000 : 3000,
  recoverAtMs: quick ? 3000 : 8000,
  endAtMs: quick ? 4000 : 12_000,
  clientTimeoutMs: 10_000,
})

const saturationOptions = ({ quick, scenarios: chosen }: Flags): SaturationOptions => ({
  scenarios: saturationScenarios(quick).filter(({ name }) => chosen.includes(name)),
  clientTimeoutMs: quick ? 3000 : 5000,
})

/** Null: not asked for. */
interface Plan {
  readonly cpu: CpuOptions | null
  readonly faults: FaultOptions | null
  readonly saturation: SaturationOptions | null
}

const planOf = (flags: Flags): Plan => ({
  cpu: flags.parts.includes('cpu') ? cpuOptions(flags) : null,
  faults: flags.parts.includes('faults') ? faultOptions(flags) : null,
  saturation: flags.parts.includes('saturation') ? saturationOptions(flags) : null,
})

const inPart = (all: readonly Contender[], part: Part): readonly Contender[] =>
  all.filter(({ parts }) => parts.includes(part))

const expectedMs = (all: readonly Contender[], { cpu, faults, saturation }: Plan): number =>
  all.length * checkMs +
  (cpu === null ? 0 : cpuMs(inPart(all, 'cpu').length, cpu)) +
  (faults === null ? 0 : faultMs(inPart(all, 'faults').length, faults)) +
  (saturation === null ? 0 : saturationMs(all, saturation))

async function run(flags: Flags, abort: AbortController): Promise<Report> {
  const { signal } = abort
  const chosen = contenders.filter(
    ({ name, parts }) => flags.contenders.includes(name) && parts.some((part) => flags.parts.includes(part)),
  )
  if (chosen.length === 0) throw new FlagError('none of these contenders takes part in that')
  const pinning = choosePinning()
  if (pinning !== null) pinMyself(pinning)
  const plan = planOf(flags)
  const lengthMs = expectedMs(chosen, plan)
  const watchdog = setTimeout(
    () => abort.abort(new Error('it took twice as long as expected; given up')),
    lengthMs * 2 + 360_000,
  )
  watchdog.unref()
  const progress = new Progress(lengthMs)
  const quiet = new Quiet(pinning, flags.quick ? 0 : 240_000)
  try {
    if (pinning === null) progress.say('one core only, or no taskset: nothing is pinned')
    progress.eachStepMs = checkMs
    const { fit, leftOut } = await chooseFit(chosen, pinning, progress, signal)
    const all = fit.map(({ contender }) => contender)
    const { cpu, faults, saturation } = plan
    const common = [pinning, quiet, progress, signal] as const
    const cpuPart = cpu === null ? null : await measureCpu(inPart(all, 'cpu'), cpu, ...common)
    const faultPart = faults === null ? null : await measureFaults(inPart(all, 'faults'), faults, ...common)
    const saturationPart = saturation === null ? null : await measureSaturation(all, saturation, ...common)
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
      saturation: saturationPart,
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
