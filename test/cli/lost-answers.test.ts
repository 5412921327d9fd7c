// A change whose answer is lost: sent once more where a repeat changes nothing, and told where it may have been done.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type CommandLine, commandLine, listening } from '../support/operators-command.ts'

let line: CommandLine
beforeAll(async () => {
  line = await commandLine()
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
})

interface Losing extends AsyncDisposable {
  readonly url: string
  /** Path and Idempotency-Key of each change that came. */
  readonly changes: readonly (readonly [path: string, key: string | undefined])[]
}

/** In front of the gateway; loses answers to changes as `lose` says, once the gateway has carried them out. */
async function losing(times: number, lose: (response: ServerResponse) => void): Promise<Losing> {
  const changes: [string, string | undefined][] = []
  const relay = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk))
    const key = request.headers['idempotency-key']
    const answer = await fetch(`${line.gateway.adminUrl}${request.url ?? ''}`, {
      method: request.method ?? 'GET',
      headers: {
        authorization: request.headers.authorization ?? '',
        'content-type': 'application/json',
        ...(typeof key === 'string' && { 'idempotency-key': key }),
      },
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    })
    const text = await answer.text()
    if (request.method === 'POST' && request.url !== '/api/v1/preview') {
      changes.push([request.url ?? '', typeof key === 'string' ? key : undefined])
      if (changes.length <= times) return lose(response)
    }
    response.writeHead(answer.status, { etag: answer.headers.get('etag') ?? '' }).end(text)
  }
  const server = createServer((request, response) => void relay(request, response))
  const { url, [Symbol.asyncDispose]: dispose } = await listening(server)
  return { url, changes, [Symbol.asyncDispose]: dispose }
}

const cut = (response: ServerResponse): void => void response.destroy()
const cutHalfWay = (response: ServerResponse): void => {
  response.writeHead(201, { 'content-length': '1000' }).write('{')
  setImmediate(() => response.destroy())
}

describe.each([
  ['before its first byte', cut],
  ['half way', cutHalfWay],
])('lost %s', (_, lose) => {
  it('a hold is put once', async () => {
    await using gateway = await losing(1, lose)
    const args = [
      'hold',
      'put',
      'trip',
      '--node',
      'xian-1',
      '--for',
      '1m',
      '--reason',
      'a test',
      '--yes',
      '--json',
    ]
    const { code, stdout } = await line.run(...args, '--url', gateway.url)
    expect(code).toBe(0)
    expect(gateway.changes).toHaveLength(2)
    expect(new Set(gateway.changes.map(([, key]) => key)).size).toBe(1)
    const { items } = JSON.parse(await line.good('hold', 'list', '--json'))
    expect(items.map(({ id }: { id: string }) => id)).toEqual([JSON.parse(stdout).id])
    await line.good('hold', 'end', items[0].id, '--reason', 'over', '--yes')
  })

  it('a token is made once at the most, and it is said that it may be there', async () => {
    await using gateway = await losing(9, lose)
    const args = ['--name', 'x', '--role', 'viewer', '--scope', '*', '--reason', 'a test']
    const ended = await line.run('tokens', 'create', ...args, '--url', gateway.url)
    expect(ended).toMatchObject({ code: 1, stdout: '' })
    expect(ended.stderr).toContain('it may have been carried out all the same: look before you repeat it')
    expect(gateway.changes).toHaveLength(1)
  })
})
