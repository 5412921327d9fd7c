// What the command line does with the gateway's state without a gateway.
import { join } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { backUpState, restoreState, type StateSummary } from '../control/registry/state-copies.ts'

export type { StateSummary }

/** @throws {UsageError} See {@link backUpState}. */
export const backUp = (
  config: Config,
  target: string,
  progress: (share: number) => void,
): Promise<StateSummary> => backUpState(registryFile(config), target, progress)

/** @throws {UsageError} See {@link restoreState}. */
export const restore = (config: Config, source: string, reason: string): ReturnType<typeof restoreState> =>
  restoreState(source, registryFile(config), reason, Date.now())

export const registryFile = ({ registry, dataDir }: Config): string =>
  registry.file ?? join(dataDir, 'chiyuan.db')
