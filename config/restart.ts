// What a running gateway can't take over from a changed file.
import type { Config } from './schema.ts'

/** Sections that are read once, at the start. */
const sections = [
  'gatewayId',
  'dataDir',
  'public',
  'admin',
  'breaker',
  'concurrency',
  'limits',
  'registry',
  'discovery',
  'drainNoticeMs',
  'drainTimeoutMs',
  'logLevel',
  'logFormat',
] as const

/** Fields of other sections that are. */
const fields: readonly { readonly name: string; readonly of: (config: Config) => unknown }[] = [
  { name: 'attempts.idleTimeoutMs', of: ({ attempts }) => attempts.idleTimeoutMs },
  { name: 'lastGood.memoryBytes', of: ({ lastGood }) => lastGood.memoryBytes },
  { name: 'resident.keyFile', of: ({ resident }) => resident.keyFile },
]

/** Names of what differs and is in force after a restart only. */
export const needsRestart = (before: Config, after: Config): string[] => [
  ...sections.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name])),
  ...fields.filter(({ of }) => of(before) !== of(after)).map(({ name }) => name),
]

/** `next` as far as it can be taken over by what was started with `initial`: the rest stays, everywhere alike. */
export function takenOver(next: Config, initial: Config): Config {
  return {
    ...next,
    ...Object.fromEntries(sections.map((name) => [name, initial[name]])),
    attempts: { ...next.attempts, idleTimeoutMs: initial.attempts.idleTimeoutMs },
    lastGood: { ...next.lastGood, memoryBytes: initial.lastGood.memoryBytes },
    resident: { ...next.resident, keyFile: initial.resident.keyFile },
  }
}
