// What the federation is, why a request would go where, what a change would do, and guards that object to it.
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type CommandLine, commandLine, listening } from '../support/operators-command.ts'
import { eventually } from '../support/eventually.ts'

let line: CommandLine
beforeAll(async () => {
  line = await commandLine()
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
})

/** For guards count homes with traffic alone; it counts for ten seconds. */
const traffic = () => Promise.all(Array.from({ length: 200 }, () => fetch(`${line.gateway.url}/v1/codes/x`)))

const cells = (text: string): string[][] =>
  text
    .trimEnd()
    .split('\n')
    .map((row) => row.split(/ {2,}/))

describe('chiyuan status', () => {
  it('tells the gateway, totals, and each region with what is worst first', async () => {
    await line.good(
      'hold',
      'put',
      'drain',
      '--node',
      'xianyang-1',
      '--for',
      '5m',
      '--reason',
      'a test',
      '--yes',
      '--override',
    )
    await eventually(async () => {
      const shown = await line.good('status')
      expect(shown).toMatch(/^gateway {5}chiyuan \S+, up \S+/)
      expect(shown).toMatch(/\nmode {8}peacetime \(by the file\)\n/)
      expect(shown).toMatch(/\nnodes {7}2 of 3 serve, in 2 regions; 1 holds\n/)
      expect(cells(shown.slice(shown.indexOf('Code'))).map((row) => [row[0], row.at(-1)])).toEqual([
        ['Code', 'State'],
        ['610400', 'DOWN: no level serves'],
        ['610100', 'well'],
      ])
    }, 5000)
    expect(await line.good('status', '--lang', 'zh-CN')).toContain('中断：各级均不可用')
    expect(JSON.parse(await line.good('status', '--json'))).toMatchObject({ totals: { nodes: 3 } })
    const { items } = JSON.parse(await line.good('hold', 'list', '--json'))
    await line.good('hold', 'end', items[0].id, '--reason', 'over', '--yes')
  })
})

describe('chiyuan regions', () => {
  it('lists them, and shows one', async () => {
    const [heads, ...rows] = cells(await line.good('regions'))
    expect(heads).toEqual(['Code', 'Name', 'Tier', 'Helped by', 'Lends', 'Nodes'])
    expect(rows).toMatchObject([
      ['610100', '610100', 'city', '610400', 'what it can', 'xian-1 xian-2'],
      ['610400', '610400', 'city', expect.anything(), 'xianyang-1'],
    ])
    expect(await line.good('regions', '610100')).toMatch(/^code {8}610100\n[^]*nodes {7}xian-1 xian-2\n/)
    expect(JSON.parse(await line.good('regions', '--json')).items).toHaveLength(2)
    const none = await line.run('regions', '619999')
    expect(none).toMatchObject({ code: 4, stdout: '' })
    expect(none.stderr).toContain('there is no such region; see: chiyuan regions')
  })
})

describe('chiyuan nodes', () => {
  it('tells why each serves or not', async () => {
    await line.good('hold', 'put', 'drain', '--node', 'xian-2', '--for', '5m', '--reason', 'a test', '--yes')
    const [, ...rows] = cells(await line.good('nodes', '--region', '610100'))
    expect(rows.map(([id, region]) => [id, region])).toEqual([
      ['xian-1', '610100'],
      ['xian-2', '610100'],
    ])
    await eventually(async () => {
      expect(await line.good('nodes', 'xian-2')).toMatch(/may be tried {2}draining: drained by an operator\n/)
    })
    expect(await line.good('nodes', 'xian-2', '--lang', 'zh-CN')).toMatch(
      /可否尝试 {2}draining: 正在排空\n处置 {6}drain: /,
    )
    const { items } = JSON.parse(await line.good('hold', 'list', '--json'))
    await line.good('hold', 'end', items[0].id, '--reason', 'over', '--yes')
  })
})

describe('chiyuan gateways', () => {
  it('shows the gateway that is asked, which has no others', async () => {
    expect(cells(await line.good('gateways'))).toEqual([
      ['Gateway', 'Machine', 'Address', 'Version', 'Started', 'Health'],
      ['chiyuan (asked)', '-', '-', expect.anything(), expect.anything(), 'well'],
    ])
    expect(await line.good('gateways', '--lang', 'zh-CN')).toMatch(/^网关 .*状态\nchiyuan （本机） .*正常\n$/)
    expect(JSON.parse(await line.good('gateways', '--json'))).toMatchObject({
      items: [{ own: true, readings: { mode: 'peacetime' } }],
      stale: null,
    })
  })
})

describe('chiyuan explain', () => {
  it('shows levels, nodes and the order in which they would be tried', async () => {
    const shown = await line.good('explain', '--home', '610100', '--path', '/v1/codes/x')
    expect(shown).toMatch(/prospect {5}a node takes it\n/)
    expect(shown).toMatch(/local +610100 +xian-1 +0\/\S+ +\d+ % +may be tried\n/)
    expect(shown).toMatch(/\n3 +xianyang-1 +neighbour +610400 +in good standing\n/)
    expect(await line.good('explain', '--home', '610100', '--lang', 'zh-CN')).toMatch(
      /有节点可用\n[^]*\n3 +xianyang-1 +邻近地市 +610400 +状态良好\n/,
    )
    const unknown = await line.run('explain', '--home', '999999')
    expect(unknown).toMatchObject({ code: 2, stdout: '' })
    expect(unknown.stderr).toContain('query home: there is no region 999999; see: chiyuan regions')
    expect(await line.run('explain')).toMatchObject({ code: 2 })
  })
})

describe('chiyuan preview', () => {
  it('tells who would take what of the traffic of this moment, and ends with 5 where a guard objects', async () => {
    await traffic()
    await eventually(async () => {
      const { code, stdout } = await line.run('preview', '--hold', 'trip:610100')
      expect(stdout).toMatch(/610100 +local 610100 +\d\S* +0\n610100 +neighbour 610400 +0 +\d/)
      expect(stdout).toMatch(
        /OBJECTS levels-left: 610100: 1 of the 2 levels that it should have at the least would serve\n/,
      )
      expect(code).toBe(5)
    }, 8000)
    const { differences } = JSON.parse((await line.run('preview', '--hold', 'trip:610100', '--json')).stdout)
    expect(differences.homes).toMatchObject([{ home: '610100' }])
    const now = await line.run('preview', '--lang', 'zh-CN')
    expect(now).toMatchObject({ code: 0 })
    expect(now.stdout).toContain('流量不会变化')
    expect(await line.run('preview', '--hold', 'stop:x')).toMatchObject({ code: 2, stdout: '' })
    expect(await line.good('hold', 'list')).toBe('no holds\n')
  })
})

describe('a guard', () => {
  const all = ['hold', 'put', 'trip', '--region', '610400', '--for', '1m', '--reason', 'a test', '--yes']
  it('refuses with 5 and says how it can be overruled, which --override does', async () => {
    await traffic()
    await eventually(
      async () => expect((await line.run('preview', '--hold', 'trip:610400')).code).toBe(5),
      8000,
    )
    const refused = await line.run(...all)
    expect(refused).toMatchObject({ code: 5, stdout: '' })
    expect(refused.stderr).toContain(
      'OBJECTS levels-left: 610100: 1 of the 2 levels that it should have at the least would serve',
    )
    expect(refused.stderr).toContain(
      'chiyuan: A guard objects: 610100: 1 of the 2 levels that it should have at the least would serve',
    )
    expect(refused.stderr).toContain('give --override, and a reason that says why')
    const done = await line.run(...all, '--override', '--json')
    expect(done.code).toBe(0)
    await line.good('hold', 'end', JSON.parse(done.stdout).id, '--reason', 'over', '--yes')
  })
})

it('does not keep anybody from acting where no forecast can be had', async () => {
  const made = {
    id: 'x',
    kind: 'trip',
    node: 'xian-1',
    owner: 'o',
    reason: 'r',
    createdAt: '2026-01-05T00:00:00Z',
    expiresAt: '2026-01-05T00:10:00Z',
  }
  const broken = createServer((request, response) => {
    const failing = request.url === '/api/v1/preview'
    const problem = { type: 'urn:chiyuan:problem:internal', title: 'The admin listener failed', status: 500 }
    response.writeHead(failing ? 500 : 201).end(JSON.stringify(failing ? problem : made))
  })
  await using gateway = await listening(broken)
  const trip = ['hold', 'put', 'trip', '--node', 'xian-1', '--for', '1m', '--reason', 'r', '--yes']
  const put = await line.run(...trip, '--url', gateway.url)
  expect(put).toMatchObject({ code: 0 })
  expect(put.stderr).toContain('no forecast of what it would do: The admin listener failed')
})
