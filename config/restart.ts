// What a running gateway can't take over from a changed file.
import type { Config } from './schema.ts'

/** Sections that are read once, at the start. */
export const fixed = [
  'gatewayId',
  'dataDir',
  'public',
  'admin',
  'breaker',
  'concurrency',
  'limits',
  'registry',
  'drainNoticeMs',
  'drainTimeoutMs',
  'logLevel',
  'logFormat',
] as const

export const needsRestart = (before: Config, after: Config): string[] =>
  fixed.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
