// A configuration as one mode would have it.
import type { Mode } from '../gateway/model/mode.ts'
import { over, profileSections } from './profiles.ts'
import { type Config, configSchema } from './schema.ts'

const sections = configSchema.pick({
  selection: true,
  attempts: true,
  hedging: true,
  health: true,
  classes: true,
  queue: true,
  lastGood: true,
  standby: true,
  protection: true,
} satisfies Record<(typeof profileSections)[number], true>)

/** @param config As it was loaded, with both profiles checked. */
export function inMode(config: Config, mode: Mode): Config {
  const profile = config.profiles[mode]
  const changed = profileSections.map((name) => [name, over(config[name], profile[name] ?? {})])
  return { ...config, mode, ...sections.parse(Object.fromEntries(changed)) }
}
