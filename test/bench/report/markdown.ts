// The report as Markdown, for people and for the README.
import { cpuMethod, cpuTable } from './markdown-cpu.ts'
import { faultMethod, faultTables } from './markdown-faults.ts'
import { saturationMethod, saturationTables } from './markdown-saturation.ts'
import type { Report } from './results.ts'

export function toMarkdown(report: Report): string {
  const { machine, cpu, faults, saturation } = report
  const pinned =
    machine.pinning === null
      ? 'nothing pinned'
      : `contender on core ${machine.pinning.proxy}, nodes and load on ${machine.pinning.load}`
  const parts = [
    '# Benchmarks',
    report.quick ? '**A quick run, to try the harness: these figures are no result.**' : '',
    list([
      `Date: ${report.date}`,
      `Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${machine.node}; ${pinned}`,
      `Versions: ${report.contenders.map(({ title, version }) => `${title} ${version}`).join('; ')}`,
      ...report.leftOut.map(({ name, why }) => `Left out: ${name}, ${why}`),
      ...report.changedMeanwhile.map((name) => `Changed while it was measured: ${name}`),
      'By `npm run bench`; settings and their reasons are in `test/bench/contenders/`',
    ]),
    'Method:',
    list([
      'every contender is one process on one core before the same four nodes on loopback: two local, a neighbour and a province as backups, keep-alive to them; the others leave a try after 2 s, Chiyuan after its default of 5 s; each first proved that it answers, echoes a POST, and fails over',
      ...(cpu === null ? [] : [cpuMethod(cpu)]),
      ...(faults === null ? [] : [faultMethod(faults)]),
      ...(saturation === null ? [] : [saturationMethod(saturation)]),
    ]),
    ...(cpu === null ? [] : ['## CPU per request', cpuTable(cpu, report)]),
    ...(faults === null ? [] : ['## When the local nodes fail', faultTables(faults, report)]),
    ...(saturation === null ? [] : ['## When ten times as many come', saturationTables(saturation, report)]),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n')
