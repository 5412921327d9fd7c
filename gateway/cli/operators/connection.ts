// Which gateway is meant, who asks it, and by what it is known: from flags, the environment and files.
import { open } from 'node:fs/promises'
import { Option } from 'commander'
import { errorCode, errorText, UsageError } from '../../model/errors.ts'
import { readInput } from '../input-file.ts'
import { CommandFailure, exitCodes } from './failure.ts'

export interface ConnectionFlags {
  readonly url?: string
  readonly tokenFile?: string
  readonly ca?: string
  readonly insecure?: true
}

export interface Connection {
  /** Without a path. */
  readonly url: URL
  readonly token: string
  /** PEM of the authorities that the gateway's certificate is believed by; `null` for the usual ones. */
  readonly ca: string | null
}

/** Of `chiyuan gateway`, as it is without a configuration of its own. */
const defaultUrl = 'http://127.0.0.1:8101'
/** Where `chiyuan start` writes the first admin's token. */
const usualTokenFile = 'data/operator-token'
const maxBytes = { token: 8192, ca: 1024 * 1024 }

export const connectionOptions = (): Option[] => [
  new Option(
    '--url <url>',
    `the gateway’s operators’ address 网关运维地址 (CHIYUAN_URL; default: ${defaultUrl})`,
  ),
  new Option(
    '--token-file <file>',
    `your access token 访问令牌文件 (CHIYUAN_TOKEN_FILE, CHIYUAN_TOKEN; default: ${usualTokenFile})`,
  ),
  new Option('--ca <file>', 'believe the gateway’s certificate by this authority 私有 CA 证书'),
  new Option('--insecure', 'send the token over the network without TLS 允许明文传输令牌'),
]

/**
 * @throws {UsageError} for what is given and can't be used.
 * @throws {CommandFailure} where there is no token.
 */
export async function connectionOf(flags: ConnectionFlags, env: NodeJS.ProcessEnv): Promise<Connection> {
  const url = urlOf(flags.url, env['CHIYUAN_URL'])
  const alone = url.protocol === 'https:' || isThisMachine(url.hostname)
  if (!alone && flags.insecure !== true) {
    throw new UsageError(
      `${url.origin}: without TLS the network would see your token; use https://, or say --insecure 明文传输会泄露令牌`,
    )
  }
  const ca =
    flags.ca === undefined
      ? null
      : await readInput(flags.ca, 'the certificate authority, in PEM', maxBytes.ca)
  if (ca !== null && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    throw new UsageError(
      `--ca ${flags.ca ?? ''}: there is no certificate in it; give the authority’s certificate in PEM`,
    )
  }
  return { url, token: await tokenOf(flags.tokenFile, env), ca }
}

function urlOf(flag: string | undefined, fromEnv: string | undefined): URL {
  const name = flag === undefined && fromEnv !== undefined ? 'CHIYUAN_URL' : '--url'
  const text = flag ?? fromEnv ?? defaultUrl
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `${name} ${text}: it must be http:// or https://, host and port, such as ${defaultUrl}`,
    )
  }
  // A password would be seen by all on the machine, and is not quoted here either.
  if (url.username !== '' || url.password !== '' || url.pathname !== '/' || url.search !== '') {
    throw new UsageError(`${name}: give scheme, host and port alone, such as ${defaultUrl}`)
  }
  return url
}

const isThisMachine = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)

/** The flag before the environment, and both before the file that a first start writes. */
async function tokenOf(flag: string | undefined, env: NodeJS.ProcessEnv): Promise<string> {
  const named = flag ?? env['CHIYUAN_TOKEN_FILE']
  const place =
    flag !== undefined ? '--token-file' : named !== undefined ? 'CHIYUAN_TOKEN_FILE' : 'CHIYUAN_TOKEN'
  if (named !== undefined) return checked(await readSecret(named), `${place} ${named}`)
  const given = env['CHIYUAN_TOKEN']
  if (given !== undefined && given !== '') return checked(given, 'CHIYUAN_TOKEN')
  try {
    return checked(await readSecret(usualTokenFile), usualTokenFile)
  } catch (cause) {
    if (!(cause instanceof UsageError) || errorCode(cause.cause) !== 'ENOENT') throw cause
    throw new CommandFailure(exitCodes.notAllowed, {
      en: `no access token: name its file by --token-file or CHIYUAN_TOKEN_FILE (there is no ${usualTokenFile} here)`,
      zh: `没有访问令牌：请以 --token-file 或 CHIYUAN_TOKEN_FILE 指定其文件（此处没有 ${usualTokenFile}）`,
    })
  }
}

/** @throws {UsageError} where others than its owner may read it. */
async function readSecret(file: string): Promise<string> {
  try {
    await using handle = await open(file, 'r')
    const stats = await handle.stat()
    if (!stats.isFile()) throw new UsageError(`${file}: it is no file; give the file of your access token`)
    if ((stats.mode & 0o077) !== 0 && process.platform !== 'win32') {
      throw new UsageError(
        `${file}: others on this machine may read it; type: chmod 600 ${quoted(file)}  (and rotate the token if they may have 若可能已泄露请轮换)`,
      )
    }
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxBytes.token + 1))
    return buffer.subarray(0, bytesRead).toString('utf8')
  } catch (cause) {
    if (cause instanceof UsageError) throw cause
    const why =
      errorCode(cause) === 'ENOENT' ? 'there is no such file' : `reading it failed (${errorText(cause)})`
    throw new UsageError(`${file}: ${why}; give the file of your access token`, { cause })
  }
}

const quoted = (file: string): string =>
  /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", String.raw`'\''`)}'`

/** As a header may carry it. @throws {UsageError} which does not quote it. */
function checked(text: string, place: string): string {
  const token = text.trim()
  if (/^[\w.~+/=-]{1,8192}$/.test(token)) return token
  throw new UsageError(
    `${place}: that is no access token; it is one word such as chiyuan_k3v9x2mq_…, alone in its file`,
  )
}
