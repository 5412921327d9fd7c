// What the command line does with the gateway's state without a gateway.
import { join } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { UsageError } from '../model/errors.ts'
import { backUpState, restoreState, type StateSummary } from '../control/registry/state-copies.ts'

export type { StateSummary }

/** @throws {UsageError} See {@link backUpState}. */
export const backUp = async (
  config: Config,
  target: string,
  progress: (share: number) => void,
): Promise<StateSummary> => backUpState(registryFile(config), target, progress)

/** @throws {UsageError} See {@link restoreState}. */
export const restore = async (
  config: Config,
  source: string,
  reason: string,
): ReturnType<typeof restoreState> => restoreState(source, registryFile(config), reason, Date.now())

/** @throws {UsageError} where no file keeps the records. */
export function registryFile({ registry, dataDir }: Config): string {
  if (registry.driver === 'embedded') return registry.file ?? join(dataDir, 'chiyuan.db')
  throw new UsageError(
    `registry.driver is ${registry.driver}: there is no file here; use \`consul snapshot save FILE\` and \`consul snapshot restore FILE\` 请使用 consul snapshot 备份与恢复`,
  )
}
