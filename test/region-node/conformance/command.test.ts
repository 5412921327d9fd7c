// `chiyuan conform` as a person runs it: its card, its exit codes, and nodes that do not play along.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { eventually } from '../../support/eventually.ts'
import { runChiyuan, startChiyuan, temporaryFolder, toEnd } from '../running-node.ts'
import { startTinyNode } from './tiny-node.ts'

const conform = (...args: string[]) => runChiyuan('conform', ...args)

/** Speaks as it is told to each connection. */
async function startPeer(speak: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
    socket.resume()
    speak(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    server,
    sockets,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const cardSchema = z.object({
  home: z.literal('610100'),
  rootFrom: z.enum(['file', 'served']),
  conforms: z.boolean(),
  checks: z.array(
    z.object({
      id: z.string(),
      level: z.enum(['must', 'should']),
      came: z.string().optional(),
      outcome: z.enum(['pass', 'fail', 'skipped']),
    }),
  ),
})

describe('chiyuan conform', () => {
  it('prints a card in Chinese and English, and exits 0 for a node that conforms', async () => {
    await using node = await startTinyNode()
    const { code, stdout, stderr } = await conform(node.url.origin, '--home', '610100')
    expect({ code, stderr }).toStrictEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/✓ 通过 pass +must +codes\.signature/)
    expect(stdout).toMatch(/- 未判 skipped +must +idempotency\.replay/)
    expect(stdout).toContain('信任根由被测节点自己提供')
    expect(stdout).toContain('It conforms, in what was judged.')
  })

  it('says of a failure what was expected, what came and what to do, and exits 1', async () => {
    await using node = await startTinyNode('same-rid')
    const { code, stdout } = await conform(node.url.origin, '--home', '610100')
    expect(code).toBe(1)
    expect(stdout).toMatch(/✗ 不符 FAIL +must +codes\.rid/)
    expect(stdout).toMatch(/应为 expected: another rid.*\n.*实为 came: the same one\n.*处理 do: 每码随机/)
    expect(stdout).toContain('It does not conform.')
  })

  it('prints JSON, and goes by a root of your own', async () => {
    using folder = temporaryFolder()
    await using node = await startTinyNode()
    const file = folder.file('root.json')
    writeFileSync(file, JSON.stringify(node.root))
    const expired = folder.file('expired.txt')
    writeFileSync(expired, `${node.expiredCode}\n`)
    const flags = ['--home', '610100', '--json', '--trust-root', file, '--expired-code', expired]
    const { code, stdout } = await conform(node.url.origin, ...flags, '--write', '--overload')
    const card = cardSchema.parse(JSON.parse(stdout))
    expect(code).toBe(0)
    expect(card).toMatchObject({ rootFrom: 'file', conforms: true })
    expect(card.checks.filter(({ outcome }) => outcome !== 'pass')).toStrictEqual([])
  })

  it('believes no code of a node whose root is another than yours', async () => {
    using folder = temporaryFolder()
    await using node = await startTinyNode()
    await using other = await startTinyNode()
    const file = folder.file('root.json')
    writeFileSync(file, JSON.stringify(other.root))
    const { code, stdout } = await conform(
      node.url.origin,
      '--home',
      '610100',
      '--json',
      '--trust-root',
      file,
    )
    const { checks } = cardSchema.parse(JSON.parse(stdout))
    expect(code).toBe(1)
    expect(checks.filter(({ outcome }) => outcome === 'fail').map(({ id }) => id)).toStrictEqual([
      'codes.signature',
    ])
  })

  it('writes nothing unless told', async () => {
    await using node = await startTinyNode()
    await conform(node.url.origin, '--home', '610100')
    const answer = await fetch(new URL('/v1/registrations/R610100-000003', node.url))
    expect(await answer.json()).toMatchObject({ registrations: [] })
  })
})

describe('chiyuan conform that can not run', () => {
  it.each([
    { name: 'without a URL', args: ['--home', '610100'], says: 'url' },
    { name: 'without --home', args: ['http://127.0.0.1:1'], says: '--home' },
    { name: 'with what is no URL', args: ['node', '--home', '610100'], says: 'http://127.0.0.1:9101' },
    { name: 'with a URL of files', args: ['file:///etc', '--home', '610100'], says: 'http:// or https://' },
    { name: 'with a home that is none', args: ['http://127.0.0.1:1', '--home', 'xian'], says: 'six-digit' },
    {
      name: 'with a root that is not there',
      args: ['http://127.0.0.1:1', '--home', '610100', '--trust-root', '/nowhere.json'],
      says: 'there is no such file',
    },
    { name: 'refused', args: ['http://127.0.0.1:1', '--home', '610100'], says: 'ECONNREFUSED' },
  ])('$name: exits 2 and says why', async ({ args, says }) => {
    const { code, stdout, stderr } = await conform(...args)
    expect({ code, stdout }).toStrictEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(says)
  })
})

describe('chiyuan conform against a node that does not play along', () => {
  const flags = ['--home', '610100', '--timeout-ms', '100', '--json']

  it.each([
    { name: 'never answers', speak: () => {}, says: 'no whole answer within 100 ms' },
    {
      name: 'closes each connection',
      speak: (socket: Socket) => void socket.once('data', () => socket.destroy()),
      says: 'the connection broke',
    },
    {
      name: 'speaks no HTTP',
      speak: (socket: Socket) => void socket.end('SSH-2.0\r\n'),
      says: 'the connection broke',
    },
  ])('$name: fails with a reason, and ends', async ({ speak, says }) => {
    await using peer = await startPeer(speak)
    const { code, stdout } = await conform(peer.url, ...flags)
    const { checks } = cardSchema.parse(JSON.parse(stdout))
    expect(code).toBe(1)
    expect(checks[0]).toMatchObject({
      id: 'health.alive',
      outcome: 'fail',
      came: expect.stringContaining(says),
    })
  })

  it('leaves nothing behind after Ctrl-C', async () => {
    await using peer = await startPeer(() => {})
    const child = startChiyuan('conform', peer.url, '--home', '610100')
    const ended = toEnd(child)
    await once(peer.server, 'connection')
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ code: null, stdout: '' })
    await eventually(() => expect(peer.sockets.size).toBe(0))
  })
})
