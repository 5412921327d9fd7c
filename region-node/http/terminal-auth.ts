// Lets terminals in by their bearer token (RFC 6750), before a byte of the body is read.
import type { IncomingMessage } from 'node:http'
import type { TerminalDirectory } from '../terminals/directory.ts'
import { ProblemError } from './problem.ts'

/** @throws {ProblemError} 401. It doesn't tell an unknown terminal from a wrong secret. */
export function requireTerminal(terminals: TerminalDirectory, req: IncomingMessage): void {
  const given = req.headers.authorization
  const [, bearer] = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(given ?? '') ?? []
  if (terminals.identify({ bearer }) !== undefined) return
  throw new ProblemError({
    status: 401,
    code: 'unknown-terminal',
    title: 'Terminals only',
    detail: 'Send the bearer token of a terminal that this node knows.',
    // https://www.rfc-editor.org/rfc/rfc6750#section-3
    headers: {
      'www-authenticate': `Bearer realm="terminals"${given === undefined ? '' : ', error="invalid_token"'}`,
    },
  })
}
