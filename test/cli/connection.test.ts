// Which gateway the operators' commands ask and as whom; what they say, and end with, when it can't be.
import { chmod, mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type CommandLine, commandLine, listening } from '../support/operators-command.ts'
import { selfSigned } from '../support/self-signed.ts'

let line: CommandLine
beforeAll(async () => {
  line = await commandLine()
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
})

const closedPort = 'http://127.0.0.1:9'

it('asks by flag, environment, or the file that a first start has written', async () => {
  expect(await line.good('me')).toContain('first admin')
  const file = join(line.folder, 'admin.token')
  const bare = { CHIYUAN_URL: undefined, CHIYUAN_TOKEN_FILE: undefined }
  const flags = ['--url', line.gateway.adminUrl, '--token-file', file]
  expect(await line.runWith({ ...bare, CHIYUAN_URL: closedPort }, 'me', ...flags)).toMatchObject({ code: 0 })
  const url = { ...bare, CHIYUAN_URL: line.gateway.adminUrl }
  expect(await line.runWith({ ...url, CHIYUAN_TOKEN: line.token }, 'me')).toMatchObject({ code: 0 })
  const none = await line.runWith(url, 'me')
  expect(none).toMatchObject({ code: 3, stdout: '' })
  expect(none.stderr).toContain('no access token: name its file by --token-file or CHIYUAN_TOKEN_FILE')
  await mkdir(join(line.folder, 'data'))
  await rename(file, join(line.folder, 'data', 'operator-token'))
  await symlink(join(line.folder, 'data', 'operator-token'), file)
  expect(await line.runWith(url, 'me')).toMatchObject({ code: 0 })
})

describe('is refused, with what to do next', () => {
  it.each([
    [
      'a gateway that is not there',
      ['--url', closedPort],
      1,
      `no gateway answers at ${closedPort}; start one`,
    ],
    [
      'what is no URL',
      ['--url', '127.0.0.1:8101'],
      2,
      '--url 127.0.0.1:8101: it must be http:// or https://',
    ],
    ['a URL with a path', ['--url', 'http://127.0.0.1:8101/api'], 2, 'give scheme, host and port alone'],
    [
      'another machine without TLS',
      ['--url', 'http://gateway.example'],
      2,
      'the network would see your token',
    ],
    ['no such token file', ['--token-file', 'nowhere'], 2, 'nowhere: there is no such file'],
    ['a folder', ['--token-file', '.'], 2, '.: it is no file'],
    ['no such authority', ['--ca', 'nowhere.pem'], 2, 'nowhere.pem: there is no such file'],
    ['an option that there is not', ['--token', 'x'], 2, "unknown option '--token'"],
    ['another language', ['--lang', 'fr'], 2, 'Allowed choices are en, zh-CN'],
  ])('%s', async (_, flags, code, words) => {
    const ended = await line.run('me', ...flags)
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toContain(words)
  })

  it('a password in the URL, without repeating it', async () => {
    const ended = await line.run('me', '--url', 'http://me:hunter2@127.0.0.1:8101')
    expect(ended.code).toBe(2)
    expect(ended.stderr).not.toContain('hunter2')
  })

  it('a token file that others may read, with the chmod to type', async () => {
    const file = join(line.folder, 'loose.token')
    await writeFile(file, `${line.token}\n`)
    await chmod(file, 0o640)
    const ended = await line.run('me', '--token-file', file)
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain(`chmod 600 ${file}`)
    expect(ended.stderr).not.toContain(line.token)
    await chmod(file, 0o600)
    expect(await line.run('me', '--token-file', file)).toMatchObject({ code: 0 })
  })

  it('what is no token, without repeating it', async () => {
    const ended = await line.runWith({ CHIYUAN_TOKEN_FILE: undefined, CHIYUAN_TOKEN: 'two words' }, 'me')
    expect(ended.code).toBe(2)
    expect(ended.stderr).not.toContain('two words')
  })

  it('a token that nobody has, one that is revoked, one that may not', async () => {
    const unknown = { CHIYUAN_TOKEN_FILE: undefined, CHIYUAN_TOKEN: `chiyuan_aaaaaaaa_${'A'.repeat(43)}` }
    const nobody = await line.runWith(unknown, 'me')
    expect(nobody.code).toBe(3)
    expect(nobody.stderr).toContain('this access token is not known here')
    expect(nobody.stderr).toContain('--token-file FILE')
    const role = ['--role', 'viewer', '--scope', '*', '--reason', 'a test']
    const viewer = (await line.good('tokens', 'create', '--name', 'v', ...role)).trim()
    const theirs = { CHIYUAN_TOKEN_FILE: undefined, CHIYUAN_TOKEN: viewer }
    const refused = await line.runWith(theirs, 'tokens', 'list')
    expect(refused.code).toBe(3)
    expect(refused.stderr).toContain('this takes one of the roles admin; yours: viewer')
    const [, id = ''] = viewer.split('_')
    await line.good('tokens', 'revoke', id, '--reason', 'over', '--yes')
    const revoked = await line.runWith(theirs, 'me')
    expect(revoked.code).toBe(3)
    expect(revoked.stderr).toContain('this access token is revoked; ask an admin for another')
  })

  it('what answers and is no operators’ port', async () => {
    await using other = await listening(createServer((_, response) => response.end('<html>')))
    const page = await line.run('me', '--url', `http://127.0.0.1:${other.port}`)
    expect(page.code).toBe(1)
    expect(page.stderr).toContain('answered what this release does not understand')
    const residents = await line.run('me', '--url', line.gateway.url)
    expect(residents.code).toBe(1)
    const tls = await line.run('me', '--url', `https://127.0.0.1:${other.port}`)
    expect(tls.code).toBe(1)
    expect(tls.stderr).toContain('it does not speak TLS')
  })

  it('an answer that breaks off', async () => {
    const breaking = createServer((_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('{')
      setImmediate(() => response.destroy())
    })
    await using cut = await listening(breaking)
    const ended = await line.run('me', '--url', `http://127.0.0.1:${cut.port}`)
    expect(ended.code).toBe(1)
    expect(ended.stderr).toContain('was lost')
  })
})

it('believes a private authority by --ca, and nobody without it', async () => {
  await using pair = await selfSigned('localhost')
  const files = { cert: readFileSync(pair.certFile), key: readFileSync(pair.keyFile) }
  const me = { id: 'x', name: 'over TLS', roles: ['viewer'], scope: '*', by: 'token', may: ['read'] }
  await using server = await listening(
    createTlsServer(files, (_, response) => response.end(JSON.stringify(me))),
  )
  const url = `https://localhost:${server.port}`
  const refused = await line.run('me', '--url', url)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain(
    'by an authority that is not believed here; give that authority by --ca FILE',
  )
  const ended = await line.run('me', '--url', url, '--ca', pair.certFile)
  expect(ended.stderr).toBe('')
  expect(ended.stdout).toContain('over TLS')
  const other = await line.run('me', '--url', `https://127.0.0.1:${server.port}`, '--ca', pair.certFile)
  expect(other.stderr).toContain('its certificate is for another name')
})

it('speaks Chinese by --lang and by the environment', async () => {
  const failing = ['me', '--url', closedPort]
  expect((await line.run(...failing, '--lang', 'zh-CN')).stderr).toContain('没有网关应答')
  expect((await line.runWith({ LC_ALL: 'zh_CN.UTF-8' }, ...failing)).stderr).toContain('没有网关应答')
  expect((await line.runWith({ LC_ALL: 'zh_CN.UTF-8' }, ...failing, '--lang', 'en')).stderr).toContain(
    'no gateway',
  )
  const missing = await line.run('hold', 'show', 'nothing', '--lang', 'zh-CN')
  expect(missing).toMatchObject({ code: 4 })
  expect(missing.stderr).toContain('没有此资源')
})
