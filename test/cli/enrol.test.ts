// `chiyuan enrol`: an unknown region's way to serving, each step by a person at a command line.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { stringify } from 'yaml'
import { z } from 'zod'
import { eventually } from '../support/eventually.ts'
import { failed, startLoad } from '../support/load.ts'
import { type CommandLine, commandLine, type Ended, toEnd } from '../support/operators-command.ts'
import { startTestNode } from '../region-node/running-node.ts'

const started = new AsyncDisposableStack()
let line: CommandLine
let donorUrl: string
beforeAll(async () => {
  const home = started.use(await startTestNode({ regionCode: '610100' }))
  const donor = started.use(await startTestNode({ regionCode: '610400', holds: ['610100'] }))
  donorUrl = donor.url
  const settings = { enrolment: { rampMs: 0, verificationRampMs: 1500 }, concurrency: { initial: 1000 } }
  line = started.use(await commandLine(settings, [{ code: '610100', nodes: { 'xian-1': home.url } }]))
})
afterAll(async () => {
  await started.disposeAsync()
})

const terms = (changes: Record<string, unknown> = {}) => ({
  donor: { code: '610400', name: { zh: '咸阳', en: 'Xianyang' }, tier: 'city' },
  homes: ['610100'],
  nodes: [{ id: 'xianyang-1', url: donorUrl }],
  limit: { rps: 200 },
  data: { fields: ['testTime', 'testResult'] },
  contact: { office: 'Xianyang data office', phone: '029 0000 0000', email: 'office@xianyang.example' },
  validFrom: new Date(Date.now() - 60_000).toISOString(),
  validUntil: new Date(Date.now() + 30 * 86_400_000).toISOString(),
  ...changes,
})

async function fileOf(content: unknown, name = 'terms.yaml'): Promise<string> {
  const file = join(line.folder, name)
  await writeFile(file, typeof content === 'string' ? content : stringify(content))
  return file
}

const because = ['--reason', 'a test']

async function draft(changes: Record<string, unknown> = {}): Promise<string> {
  const made = await line.good('enrol', 'draft', '--file', await fileOf(terms(changes)), ...because, '--json')
  return z.object({ id: z.string() }).parse(JSON.parse(made)).id
}

describe('the terms', () => {
  it('that can’t be used are told by the file’s lines', async () => {
    const text = stringify(terms({ nodes: [{ id: 'x', url: 'ftp://x' }], limit: { rps: -1 } }))
    const ended = await line.run('enrol', 'draft', '-f', await fileOf(text), ...because)
    expect(ended).toMatchObject({ code: 2, stdout: '' })
    const lineOf = (words: string): number => text.split('\n').findIndex((row) => row.includes(words)) + 1
    expect(ended.stderr).toContain(`terms.yaml:${lineOf('ftp://x')}: nodes[0].url: `)
    expect(ended.stderr).toContain(`terms.yaml:${lineOf('rps: -1')}: limit.rps: `)
  })

  it('that are no YAML, no fields or not there are refused before anything is sent', async () => {
    for (const text of ['a: [', '- a', '']) {
      const ended = await line.run('enrol', 'draft', '-f', await fileOf(text), ...because)
      expect(ended).toMatchObject({ code: 2, stdout: '' })
    }
    expect((await line.run('enrol', 'draft', '-f', 'nowhere', ...because)).stderr).toContain(
      'there is no such file',
    )
    expect(await line.good('enrol', 'list')).toBe('no enrolments\n')
  })
})

it('from a draft to serving a tripped home, and away again', async () => {
  const tokenOf = async (name: string, role: string): Promise<string> => {
    const file = join(line.folder, `${name}-${role}.token`)
    await line.good(
      'tokens',
      'create',
      '--name',
      name,
      '--role',
      role,
      '--scope',
      '610000',
      ...because,
      '--out',
      file,
    )
    return file
  }
  const [li, wang, liToo] = [
    await tokenOf('李雷', 'operator'),
    await tokenOf('王芳', 'approver'),
    await tokenOf('李雷', 'approver'),
  ]
  const as = (tokenFile: string, ...args: string[]): Promise<Ended> =>
    line.runWith({ CHIYUAN_TOKEN_FILE: tokenFile }, ...args)

  const made = await as(li, 'enrol', 'draft', '--file', await fileOf(terms()), ...because, '--json')
  const { id } = z.object({ id: z.string() }).parse(JSON.parse(made.stdout))
  const step = (tokenFile: string, name: string, ...more: string[]): Promise<Ended> =>
    as(tokenFile, 'enrol', name, id, ...because, ...more)
  expect(await as(li, 'enrol', 'list')).toMatchObject({
    stdout: expect.stringMatching(/610400 +Xianyang +610100 +draft +200 rps/),
  })

  const early = await step(li, 'activate', '--yes')
  expect(early.code).toBe(5)
  expect(await step(wang, 'submit')).toMatchObject({ code: 3 })
  expect(await step(li, 'submit')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/state +submitted\n/),
  })

  const verified = await step(li, 'verify')
  expect(verified.stderr).toMatch(/^connect xianyang-1: passed\n/)
  expect(verified.stdout).toMatch(
    /\nconnect +xianyang-1 +passed +[^]*\nramp +- +passed +[^]*\nverification: passed\n/,
  )
  expect(verified.code).toBe(0)
  expect((await as(li, 'enrol', 'report', id, '--lang', 'zh-CN')).stdout).toContain('核验: 通过')

  expect(await step(liToo, 'approve')).toMatchObject({ code: 5 })
  expect(await step(wang, 'approve')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/approved by +王芳/),
  })
  expect(await step(li, 'activate')).toMatchObject({ code: 2, stdout: '' })
  const active = await step(li, 'activate', '--yes')
  expect(active.stderr).toMatch(
    /^activate 610400 Xianyang \(approved\): it serves from 1 % of its pledge upwards\. Reason: a test\n/,
  )
  expect(active).toMatchObject({ code: 0, stdout: expect.stringMatching(/state +active\n/) })
  await eventually(async () => {
    expect((await as(li, 'nodes', 'xianyang-1')).stdout).toMatch(/health +up/)
  }, 8000)

  const load = startLoad(line.gateway.url, { ratePerSecond: 60, path: () => '/v1/codes/R610100-000001' })
  try {
    await load.until(({ body }) => body.includes('"issuer":"610100"'), 20)
    const trip = [
      'hold',
      'put',
      'trip',
      '--region',
      '610100',
      '--for',
      '1m',
      ...because,
      '--yes',
      '--override',
      '--json',
    ]
    const hold = z.object({ id: z.string() }).parse(JSON.parse((await as(li, ...trip)).stdout))
    await load.until(({ body }) => body.includes('"issuer":"610400"'), 20)
    expect((await as(li, 'status')).stdout).toMatch(/610100 .* 610400 +helped by another region\n/)
    expect(await as(li, 'hold', 'end', hold.id, ...because, '--yes')).toMatchObject({ code: 0 })
  } finally {
    expect(failed(await load.stop())).toEqual([])
  }

  expect(await step(li, 'suspend', '--yes', '--override')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/state +suspended\n/),
  })
  expect(await step(li, 'withdraw', '--yes', '--override')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/state +withdrawn\n/),
  })
  expect((await as(li, 'events')).stdout).toMatch(/INFO +.*(?:Xianyang|610400|咸阳)/)
}, 60_000)

describe('a verification', () => {
  it('shows a bar while it ramps; Ctrl-C breaks it off', async () => {
    const id = await draft({ nodes: [{ id: 'xianyang-9', url: donorUrl }] })
    await line.good('enrol', 'submit', id, ...because)
    const child = line.onTerminal({}, 'enrol', 'verify', id, ...because)
    let shown = ''
    while (!/\[#*-+\] \d+ % \d+ rps/.test(shown)) shown += String((await once(child.stdout, 'data'))[0])
    child.stdin.write('\u0003')
    const ended = await toEnd(child)
    expect(ended.code).toBe(130)
    expect(shown + ended.stdout).toContain('the verification was broken off')
    expect(await line.good('enrol', 'show', id)).toMatch(/state +submitted\n/)
  })

  it('that the donor does not pass ends with 1', async () => {
    const id = await draft({ nodes: [{ id: 'nobody-1', url: 'http://127.0.0.1:9' }] })
    await line.good('enrol', 'submit', id, ...because)
    const ended = await line.run('enrol', 'verify', id, ...because)
    expect(ended.code).toBe(1)
    expect(ended.stdout).toMatch(/verification: FAILED\n/)
  })
})
