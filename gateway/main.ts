// The gateway as a process: its configuration file, signals and exit codes.
import { watch } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, dirname } from 'node:path'
import { loadConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { startGateway } from './compose.ts'
import { errorText, UsageError } from './model/errors.ts'
import { createLogger } from './telemetry/log.ts'
import { type Running, startWorkers } from './workers/primary.ts'

export interface RunOptions {
  readonly configFile: string
  readonly env: NodeJS.ProcessEnv
  /** Overrides of the file, from the command line. */
  readonly publicPort?: number
  readonly adminPort?: number
  /** Where the first admin's token goes; without it the token is shown on standard error, once. */
  readonly firstTokenFile?: string
  /** As `admin.insecure` in the file. */
  readonly insecureAdmin?: boolean
  /** Processes that serve residents, 1 or more; `auto` is one for each core that this process may use. Default: 1. */
  readonly workers?: number | 'auto'
}

/**
 * Runs a gateway until it is told to stop; then the process ends by itself.
 * @throws {UsageError} with words for the person who started it.
 */
export async function runGateway(options: RunOptions): Promise<void> {
  const config = await configOf(options)
  const logger = createLogger(config.logLevel, config.logFormat)
  const workers = options.workers === 'auto' ? availableParallelism() : (options.workers ?? 1)
  const starting = workers === 1 ? startGateway(config, logger) : startWorkers(config, logger, workers)
  const gateway = await starting.catch((cause: unknown) => {
    throw portAdvice(cause, config)
  })
  const scheme = config.public.tls === undefined ? 'http' : 'https'
  logger.info(
    { event: 'started', publicPort: gateway.publicPort, adminPort: gateway.adminPort },
    `gateway ready: residents ${scheme}://${config.public.host}:${gateway.publicPort}, operators port ${gateway.adminPort}`,
  )
  if (gateway.firstToken !== null) await tellFirstToken(gateway.firstToken, options.firstTokenFile)
  const stopReloading = followFile(options, gateway)
  onStop(gateway, stopReloading)
  process.send?.({ type: 'ready', publicPort: gateway.publicPort, adminPort: gateway.adminPort })
}

/** The file, the environment over it, and the command line over both. */
async function configOf({
  configFile,
  env,
  publicPort,
  adminPort,
  insecureAdmin,
}: RunOptions): Promise<Config> {
  const given = insecureAdmin === true ? { ...env, CHIYUAN_ADMIN__INSECURE: 'true' } : env
  const config = await loadConfig(configFile, given)
  return {
    ...config,
    public: { ...config.public, port: publicPort ?? config.public.port },
    admin: { ...config.admin, port: adminPort ?? config.admin.port },
  }
}

/** Not by the log, which is kept. */
async function tellFirstToken(token: string, file: string | undefined): Promise<void> {
  if (file !== undefined) {
    // One that is there already may be open to others.
    await rm(file, { force: true })
    return writeFile(file, `${token}\n`, { mode: 0o600 })
  }
  process.stderr.write(
    `\nThe first admin's access token, shown this once 首个管理员令牌，仅显示一次:\n\n  ${token}\n\n` +
      'Keep it in a file of yours alone, and name it by CHIYUAN_TOKEN_FILE or --token-file.\n\n',
  )
}

/** Reads the file again on SIGHUP and when it changes. A bad file changes nothing but the log. */
function followFile(options: RunOptions, gateway: Running): () => void {
  const { logger } = gateway
  let timer: NodeJS.Timeout | undefined
  const reload = async (): Promise<void> => {
    try {
      const next = await configOf(options)
      const stale = gateway.reload(next)
      logger.info({ event: 'reloaded' }, `${options.configFile} taken over`)
      if (stale.length > 0) {
        logger.warn(
          { event: 'restart-needed', fields: stale },
          `changed, but in force after a restart only: ${stale.join(', ')}`,
        )
      }
    } catch (cause) {
      gateway.reloadRefused(errorText(cause))
    }
  }
  const soon = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => void reload(), 100)
  }
  // The folder is watched, since editors and configuration maps replace the file by renaming.
  const name = basename(options.configFile)
  const watcher = watch(dirname(options.configFile), { persistent: false }, (_event, changed) => {
    if (changed === null || changed === name || changed === '..data') soon()
  })
  const onHangUp = (): void => soon()
  process.on('SIGHUP', onHangUp)
  return () => {
    clearTimeout(timer)
    watcher.close()
    process.off('SIGHUP', onHangUp)
  }
}

const sameKeyPressMs = 700
/** For whoever reads the last lines. */
const lastLinesMs = 1000

function onStop(gateway: Running, stopReloading: () => void): void {
  let stoppingSince = -Infinity
  const stop = (signal: string): void => {
    // A terminal and a parent such as npm may both pass on one Ctrl-C.
    if (performance.now() - stoppingSince < sameKeyPressMs) return
    if (stoppingSince > 0) {
      gateway.logger.warn({ event: 'stop', signal }, `${signal} again: ending at once`)
      process.exit(signal === 'SIGINT' ? 130 : 143)
    }
    stoppingSince = performance.now()
    stopReloading()
    gateway.logger.info({ event: 'stop', signal }, `${signal}: draining; send it again to end at once`)
    gateway.close().then(
      () => {
        gateway.logger.info({ event: 'stopped' }, 'gateway stopped')
        if (process.connected) process.disconnect?.()
        process.exitCode = 0
        // Lines for a reader who stands still would keep the process for ever.
        setTimeout(() => process.exit(), lastLinesMs).unref()
      },
      (cause: unknown) => {
        gateway.logger.error(
          { event: 'stop-failed', detail: String(cause) },
          `stopping failed: ${String(cause)}`,
        )
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  // Started by a parent: its end is ours, so that a killed parent leaves nothing behind.
  process.on('disconnect', () => {
    if (stoppingSince < 0) stop('SIGTERM')
  })
}

function portAdvice(cause: unknown, config: Config): unknown {
  if (typeof cause !== 'object' || cause === null || !('code' in cause) || !('port' in cause)) return cause
  const port = Number(cause.port)
  const which = port === config.public.port ? 'public' : 'admin'
  const why =
    cause.code === 'EADDRINUSE'
      ? `port ${port} is taken by another program`
      : cause.code === 'EACCES'
        ? `port ${port} may not be opened by this user`
        : cause.code === 'EADDRNOTAVAIL'
          ? `${config[which].host} is not an address of this machine`
          : `port ${port} can't be opened (${String(cause.code)})`
  return new UsageError(
    `${why}; choose another with --${which}-port PORT, or set ${which}.port in the configuration`,
  )
}
