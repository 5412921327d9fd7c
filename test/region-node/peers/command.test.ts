import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { issueForRegion, makeAuthority } from '../../../region-node/peers/certificates.ts'
import { peerPathsIn } from '../../../region-node/peers/certificate-files.ts'
import { chiyuan } from '../chiyuan.ts'
import { temporaryFolder } from '../running-node.ts'
import { meet } from './meeting.ts'
import type { Side } from './meeting.ts'

// Each test starts several processes, which takes its time on a busy machine.
const twoMinutes = 120_000

const must = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await chiyuan('peers', ...args)
  expect({ code, stderr }).toStrictEqual({ code: 0, stderr: '' })
  return stdout
}
const refused = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await chiyuan('peers', ...args)
  expect({ code, stdout }).toStrictEqual({ code: 1, stdout: '' })
  return stderr
}

const read = (file: string): string => readFileSync(file, 'utf8')
const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)
const sideIn = (folder: string): Side => {
  const { cert, key, ca } = peerPathsIn(folder)
  return { cert: read(cert), key: read(key), ca: read(ca) }
}

/** An authority and a region's folder made by the command, and the arguments that issue for that region. */
async function world(home: { file(name: string): string }) {
  const dir = home.file('authority')
  const out = home.file('610400')
  const issue = ['issue', '--dir', dir, '--region', '610400', '--out', out]
  await must('ca', '--dir', dir)
  await must(...issue, '--host', '127.0.0.1', '--host', 'node.example')
  return { dir, out, issue }
}

describe('chiyuan peers', () => {
  it(
    'makes certificates by which two nodes know each other, and keeps keys to their owner',
    async () => {
      using home = temporaryFolder()
      const dir = home.file('authority')
      const [west, east] = [home.file('610400'), home.file('610100')]
      const made = await must('ca', '--dir', dir, '--name', 'Shaanxi regions', '--days', '400')
      expect(made).toContain('issuer 签发者  CN=Shaanxi regions\n')
      const host = ['--host', '127.0.0.1']
      const told = await must('issue', '--dir', dir, '--region', '610400', ...host, '--out', west)
      await must('issue', '--dir', dir, '--region', '610100', ...host, '--out', east)
      expect(await meet(sideIn(west), sideIn(east), { strict: true })).toEqual({
        server: '610100',
        client: '610400',
      })

      const { fingerprint256 } = new X509Certificate(read(join(west, 'peer.pem')))
      expect(told.split('\n').slice(0, 3)).toEqual([
        'region 地区  610400',
        'names 地址  127.0.0.1',
        'issuer 签发者  CN=Shaanxi regions',
      ])
      expect(told).toMatch(/until 有效期至 {2}\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ 89 days left 剩余 89 天\n/)
      expect(told).toContain(`SHA-256 指纹  ${fingerprint256}\n`)
      expect(await must('show', join(west, 'peer.pem'))).toBe(told)
      expect(told + made).not.toContain('PRIVATE')

      expect([dir, west].map(modeOf)).toEqual(['700', '700'])
      expect(readdirSync(dir).map((name) => [name, modeOf(join(dir, name))])).toEqual([
        ['ca-key.pem', '600'],
        ['ca.pem', '644'],
      ])
      expect(readdirSync(west).map((name) => [name, modeOf(join(west, name))])).toEqual([
        ['ca.pem', '644'],
        ['peer-key.pem', '600'],
        ['peer.pem', '644'],
      ])
    },
    twoMinutes,
  )

  it(
    'replaces nothing that it was not told to',
    async () => {
      using home = temporaryFolder()
      const { dir, out, issue } = await world(home)
      const before = sideIn(out)
      const host = ['--host', '127.0.0.1']
      expect(await refused('ca', '--dir', dir)).toContain('ca.pem: there is one already')
      expect(await refused(...issue, ...host)).toContain('peer.pem: there is one already')
      expect(await refused(...issue, ...host, '--force', '--renew')).toContain('give one of them')
      expect(sideIn(out)).toEqual(before)
      await must(...issue, ...host, '--force')
      const after = sideIn(out)
      expect(after.key).not.toBe(before.key)
      expect((await meet(after, before)).server).toBe('610400')
    },
    twoMinutes,
  )

  it(
    'renews for the same key and hosts, and only where others will believe it',
    async () => {
      using home = temporaryFolder()
      const { dir, out, issue } = await world(home)
      const before = sideIn(out)
      await must(...issue, '--renew', '--days', '200')
      const after = sideIn(out)
      expect({ ...after, cert: before.cert }).toEqual(before)
      const [held, renewed] = [before.cert, after.cert].map((pem) => new X509Certificate(pem))
      expect(renewed?.subjectAltName).toBe(held?.subjectAltName)
      expect(renewed?.validToDate.getTime()).toBeGreaterThan(held?.validToDate.getTime() ?? Infinity)

      const other = issue.map((arg) => (arg === '610400' ? '610100' : arg))
      expect(await refused(...other, '--renew')).toContain('it is that of 610400; give --region 610400')
      await must('ca', '--dir', dir, '--force')
      expect(await refused(...issue, '--renew')).toContain(
        'add its ca.pem to this file at every region, then renew',
      )
      expect(sideIn(out)).toEqual(after)
      writeFileSync(join(out, 'ca.pem'), after.ca + read(join(dir, 'ca.pem')))
      await must(...issue, '--renew')
      // Those who still have the old certificate are believed, and believe it.
      expect(await meet(sideIn(out), { ...after, ca: sideIn(out).ca })).toEqual({
        server: '610400',
        client: '610400',
      })
    },
    twoMinutes,
  )

  it(
    'says what to do where it can’t go on',
    async () => {
      using home = temporaryFolder()
      const { dir, out, issue } = await world(home)
      const elsewhere = [...issue.slice(0, -1), home.file('elsewhere')]
      expect(await refused(...elsewhere)).toContain('--host is missing; name each')
      expect(await refused(...elsewhere, '--renew')).toContain(
        'there is none to renew; issue one without --renew',
      )
      expect(await refused(...elsewhere, '--host', 'a:1')).toContain('without port, wildcard or zone')
      expect(await refused(...elsewhere, '--host', 'a', '--days', '826')).toContain('from 1 to 825')
      expect(await refused('issue', '--dir', out, ...elsewhere.slice(3), '--host', 'a')).toContain(
        'there is no authority; make one with: chiyuan peers ca --dir',
      )
      expect(await refused(...issue.slice(0, -1), dir, '--host', 'a')).toContain('which no node may hold')
      expect(await refused('show', join(out, 'peer-key.pem'))).toContain('there is no certificate in it')
      expect(await refused('show', home.file('nowhere.pem'))).toContain('there is no such file')
      chmodSync(join(dir, 'ca-key.pem'), 0o644)
      expect(await refused(...elsewhere, '--host', 'a')).toContain('its mode is 644')
      expect(existsSync(join(home.file('elsewhere'), 'peer.pem'))).toBe(false)
    },
    twoMinutes,
  )

  it(
    'shows what is over, and what names no region, with exit code 1',
    async () => {
      using home = temporaryFolder()
      const nowMs = Date.now() - 10 * 86_400_000
      const authority = makeAuthority({ name: 'Old', days: 3, nowMs })
      const old = issueForRegion(authority, { region: '610400', hosts: ['a.example'], days: 2, nowMs })
      writeFileSync(home.file('old.pem'), old.certificate)
      expect(await chiyuan('peers', 'show', home.file('old.pem'))).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('over 已过期'),
      })
    },
    twoMinutes,
  )
})

describe('two processes at once', () => {
  it(
    'issue for two regions by one authority',
    async () => {
      using home = temporaryFolder()
      const { dir } = await world(home)
      const folders = ['610100', '610200', '610300'].map((region) => ({ region, out: home.file(region) }))
      await Promise.all(
        folders.map(({ region, out }) =>
          must('issue', '--dir', dir, '--region', region, '--host', '127.0.0.1', '--out', out),
        ),
      )
      const serials = folders.map(({ out }) => new X509Certificate(read(join(out, 'peer.pem'))).serialNumber)
      expect(new Set(serials).size).toBe(3)
    },
    twoMinutes,
  )

  it(
    'leave one pair that fits when they issue into one folder, and tell the other',
    async () => {
      using home = temporaryFolder()
      const { out, issue } = await world(home)
      rmSync(out, { recursive: true })
      const ended = await Promise.all([1, 2, 3].map(() => chiyuan('peers', ...issue, '--host', '127.0.0.1')))
      expect(ended.map(({ code }) => String(code)).sort((a, b) => a.localeCompare(b))).toEqual([
        '0',
        '1',
        '1',
      ])
      for (const { code, stderr } of ended) if (code === 1) expect(stderr).toContain('there is one already')
      expect((await meet(sideIn(out), sideIn(out))).server).toBe('610400')
      expect(readdirSync(out)).toHaveLength(3)
    },
    twoMinutes,
  )
})
