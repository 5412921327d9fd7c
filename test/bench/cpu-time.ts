// CPU time as the kernel has it, from /proc.
import { readdirSync, readFileSync } from 'node:fs'

/** Linux shows times to programs in hundredths of a second, whatever its own tick. */
const msPerTick = 10

interface ProcessStat {
  readonly parent: number
  /** Own threads and ended children, ms. */
  readonly cpuMs: number
}

function statOf(pid: number): ProcessStat | null {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return null
  }
  // The name in parentheses may hold blanks; what follows it begins with field 3 of proc(5).
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [utime = 0, stime = 0, childUtime = 0, childStime = 0] = fields.slice(11, 15)
  return { parent: fields[1] ?? 0, cpuMs: (utime + stime + childUtime + childStime) * msPerTick }
}

/** `root` and its living descendants. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const stat = Number.isInteger(pid) ? statOf(pid) : null
    if (stat !== null) parents.set(pid, stat.parent)
  }
  const tree = [root]
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child)
  return tree
}

/** CPU time of `pids`, with that of their ended children, ms. */
export const cpuMsOf = (pids: readonly number[]): number =>
  pids.reduce((sum, pid) => sum + (statOf(pid)?.cpuMs ?? 0), 0)

/** Time that `core`, or with '' all cores together, was not idle, ms since boot: everybody's work on it, interrupts and steal included. */
export function busyMsOf(core: string): number {
  const line = new RegExp(`^cpu${core} +(.*)$`, 'm').exec(readFileSync('/proc/stat', 'latin1'))?.[1]
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (line ?? '')
    .split(' ')
    .map(Number)
  return (user + nice + system + irq + softirq + steal) * msPerTick
}
