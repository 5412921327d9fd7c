// The settings in force: the file's, as its mode or the operators' would have them, as far as this process has a part.
import { inMode } from '../../config/mode.ts'
import { needsRestart, takenOver } from '../../config/restart.ts'
import type { Config } from '../../config/schema.ts'
import type { Mode } from '../model/mode.ts'

export class SettingsInForce {
  private readonly initial: Config
  private readonly part: (config: Config) => Config
  /** The file's. */
  private base: Config
  /** The operators'; `null` leaves it to the file. */
  private setMode: Mode | null = null
  private inForce: Config

  /** @param part What of the settings is this process's. */
  constructor(initial: Config, part: (config: Config) => Config) {
    this.initial = initial
    this.part = part
    this.base = initial
    this.inForce = part(inMode(initial, initial.mode))
  }

  get config(): Config {
    return this.inForce
  }

  get fileMode(): Mode {
    return this.base.mode
  }

  /** What would be in force in that mode. */
  inMode(mode: Mode): Config {
    return this.part(inMode(this.base, mode))
  }

  /** Takes over a changed file. @returns Names of fields that changed and need a restart. */
  reload(changed: Config): string[] {
    const stale = needsRestart(this.base, changed)
    this.base = takenOver(changed, this.initial)
    this.enforce()
    return stale
  }

  /** @returns Whether other settings are in force now. */
  useMode(mode: Mode | null): boolean {
    if (mode === this.setMode) return false
    this.setMode = mode
    this.enforce()
    return true
  }

  private enforce(): void {
    this.inForce = this.part(inMode(this.base, this.setMode ?? this.base.mode))
  }
}
