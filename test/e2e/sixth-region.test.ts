// At the demo that `npm start` runs, by the command line alone: a sixth region whose node nobody knew is enrolled,
// approved by a second person, and takes over the residents of a tripped city without a failed request.
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { stringify } from 'yaml'
import { z } from 'zod'
import { RunningDemo } from '../support/demo.ts'
import { eventually } from '../support/eventually.ts'
import { failed, startLoad } from '../support/load.ts'
import { cli, type Ended, inherited, toEnd } from '../support/operators-command.ts'
import { httpUpstream } from '../support/upstream.ts'

const resident = 'R610100-000001'
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Another vendor's node in Yan'an, with a copy of Xi'an's residents. */
const yanan = () =>
  httpUpstream(
    (request, response) => {
      const now = Date.now()
      const copies = [
        { region: '610100', lagMs: 20, ageMs: 20, inContact: true, waitingWrites: 0, agreement: 'a1' },
      ]
      const ready = { status: 'ready', node: 'yanan-1', region: '610600', notReadyFor: [], copies }
      const code = {
        residentToken: 'token',
        code: `${part({ alg: 'ES256' })}.${part({ iss: '610600', hom: '610100' })}.c2ln`,
        status: 'green',
        divisionCode: '610100',
        issuer: '610600',
        issuedAt: new Date(now).toISOString(),
        validUntil: new Date(now + 60_000).toISOString(),
        updatedAt: new Date(now - 5000).toISOString(),
        testTime: null,
        testResult: null,
        freshness: 'replica',
      }
      const isCode = request.url?.startsWith('/v1/codes/') === true
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(isCode ? code : request.url?.startsWith('/readyz') ? ready : {}))
    },
    { seesProbes: true },
  )

it('a sixth region, from nobody to serving', async () => {
  await using donor = await yanan()
  await using demo = await RunningDemo.start(18_470)
  const adminUrl = 'http://127.0.0.1:18471'
  const run = (token: string, ...args: string[]): Promise<Ended> => {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: demo.folder,
      env: { ...inherited, CHIYUAN_URL: adminUrl, LC_ALL: 'C.UTF-8', CHIYUAN_TOKEN_FILE: token },
      stdio: 'pipe',
    })
    child.stdin.end()
    return toEnd(child)
  }
  const good = async (token: string, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(token, ...args)
    expect([args.join(' '), code, stderr]).toEqual([args.join(' '), 0, stderr])
    return stdout
  }
  const why = ['--reason', 'a test']
  const first = 'data/operator-token'
  const tokenOf = async (name: string, role: string): Promise<string> => {
    const file = join(demo.folder, `${role}.token`)
    const what = ['--name', name, '--role', role, '--scope', '610000', '--out', file]
    await good(first, 'tokens', 'create', ...what, ...why)
    return file
  }
  const li = await tokenOf('Li Wei', 'operator')
  const wang = await tokenOf('Wang Fang', 'approver')
  const terms = {
    donor: { code: '610600', name: { zh: '延安', en: "Yan'an" }, tier: 'city' },
    homes: ['610100'],
    nodes: [{ id: 'yanan-1', url: donor.url }],
    // Little: what a machine busy with other tests can measure is not the subject here.
    limit: { rps: 20 },
    data: { fields: ['testTime', 'testResult'] },
    contact: { office: 'Yan’an data office', phone: '0911 000 0000', email: 'duty@yanan.example' },
    validFrom: new Date(Date.now() - 60_000).toISOString(),
    validUntil: new Date(Date.now() + 60 * 86_400_000).toISOString(),
  }
  await writeFile(join(demo.folder, 'yanan.yaml'), stringify(terms))
  const draft = await good(li, 'enrol', 'draft', '--file', 'yanan.yaml', ...why, '--json')
  const { id } = z.object({ id: z.string() }).parse(JSON.parse(draft))
  await good(li, 'enrol', 'submit', id, ...why)
  await good(li, 'enrol', 'verify', id, ...why)
  // Who submitted it can't approve it; who approves can't submit.
  expect(await run(li, 'enrol', 'approve', id, ...why)).toMatchObject({ code: 3 })
  await good(wang, 'enrol', 'approve', id, ...why)
  await good(li, 'enrol', 'activate', id, ...why, '--yes')
  await eventually(async () => expect(await good(li, 'nodes', 'yanan-1')).toContain('up'), 10_000)

  const load = startLoad(demo.url, { ratePerSecond: 30, path: () => `/v1/codes/${resident}` })
  await load.until(({ body }) => body.includes('"issuer":"610100"'), 10)
  const holds: string[] = []
  for (const region of ['610400', '610500', '610100']) {
    const put = [
      'hold',
      'put',
      'trip',
      '--region',
      region,
      '--for',
      '10m',
      ...why,
      '--yes',
      '--override',
      '--json',
    ]
    holds.push(z.object({ id: z.string() }).parse(JSON.parse(await good(li, ...put))).id)
  }
  await load.until(({ body }) => body.includes('"issuer":"610600"'), 30)
  expect(await good(li, 'status')).toContain('610600')
  for (const hold of holds.toReversed()) await good(li, 'hold', 'end', hold, ...why, '--yes')
  const back = load.samples.length
  await eventually(() => {
    expect(load.samples.slice(back).some(({ body }) => body.includes('"issuer":"610100"'))).toBe(true)
  }, 10_000)
  expect(failed(await load.stop())).toEqual([])
  expect(await good(li, 'audit', 'verify')).toContain('whole')
}, 120_000)
