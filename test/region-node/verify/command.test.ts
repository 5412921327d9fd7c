import { writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from '@jest/globals'
import { chiyuan, chiyuanReading } from '../chiyuan.ts'
import { temporaryFolder } from '../running-node.ts'
import { World, aCarried, aCode, handKey, hour, lent, now } from './hand-signed.ts'

const world = new World()
const home = temporaryFolder()
afterAll(() => home[Symbol.dispose]())

const put = (name: string, text: string): string => {
  const file = home.file(name)
  writeFileSync(file, text)
  return file
}

const root = put('root.json', JSON.stringify(world.root.jwk))
const trust = put('trust.jws', `${world.trustList({ delegations: [lent()] })}\n`)
const revocations = put('610100.jws', world.revocations({ revoked: [{ rid: 'rid-lost-paper' }] }))
const at = ['--at', '2026-01-05T09:00:00+08:00']
const lists = ['--root', root, '--trust-list', trust, '--revocations', revocations]
// Each test starts processes, which takes its time on a busy machine.
const oneMinute = 60_000

describe('chiyuan verify', () => {
  const rows = [
    {
      name: 'valid',
      text: world.code(),
      code: 0,
      zh: '有效：绿码。展示码，属地 610100',
      en: 'Valid: green.',
    },
    { name: 'red', text: world.code({ st: 'red' }), code: 0, zh: '有效：红码', en: 'Valid: red.' },
    { name: 'carried', text: world.code(aCarried()), code: 0, zh: '随身凭证', en: 'carried credential' },
    {
      name: 'expired',
      text: world.code({ iat: now - hour, exp: now - hour + 60 }),
      code: 10,
      zh: '已过期',
      en: 'Expired: it ended at 2026-01-05T00:01:00Z',
    },
    {
      name: 'not yet valid',
      text: world.code({ iat: now + hour, exp: now + hour + 60 }),
      code: 11,
      zh: '尚未生效',
      en: 'Not yet valid',
    },
    {
      name: 'tampered',
      text: world.code().replace(/.{86}$/, 'A'.repeat(86)),
      code: 12,
      zh: '已被篡改',
      en: 'Tampered',
    },
    { name: 'revoked', text: world.code({ rid: 'rid-lost-paper' }), code: 13, zh: '已撤销', en: 'Revoked' },
    {
      name: 'unknown issuer',
      text: handKey().sign('chiyuan-code', aCode()),
      code: 14,
      zh: '签发方未知',
      en: 'Unknown issuer',
    },
    {
      name: 'undelegated',
      text: world.xianyang.sign('chiyuan-code', aCode({ iss: '610400', hom: '610300' })),
      code: 15,
      zh: '未获授权：610400 未获准代 610300',
      en: 'Undelegated: no agreement lets 610400',
    },
    {
      name: 'list too old',
      text: world.xianyang.sign('chiyuan-code', aCarried({ iss: '610400', hom: '610400' })),
      code: 16,
      zh: '清单过旧',
      en: 'List too old',
    },
    { name: 'malformed', text: world.code().slice(0, -9), code: 17, zh: '格式错误', en: 'was it cut off?' },
    { name: 'far too long', text: `eyJ${'A'.repeat(5000)}`, code: 17, zh: '过长', en: 'too long' },
  ]
  it.each(rows)(
    'says $name in both languages, and by exit code $code',
    async ({ text, code, zh, en }) => {
      const end = await chiyuan('verify', text, ...lists, ...at)
      expect(end).toMatchObject({ code, stderr: '' })
      expect(end.stdout).toContain(zh)
      expect(end.stdout).toContain(en)
      expect(end.stdout).toContain('信任清单 trust list: 1 小时 0 分钟前签发, 1 h 0 min old')
      // Whose code it is stays out: a checkpoint's output ends up in logs.
      expect(end.stdout).not.toContain(aCode().sub)
    },
    oneMinute,
  )

  it(
    'prints all that the verdict holds when asked for JSON',
    async () => {
      const { stdout } = await chiyuan('verify', world.code(), ...lists, ...at, '--json')
      expect(JSON.parse(stdout)).toStrictEqual({
        outcome: 'valid',
        kind: 'display',
        delegated: false,
        claims: aCode(),
        lists: { trustSeconds: hour, revocationsSeconds: hour },
      })
    },
    oneMinute,
  )

  it(
    'reads a file and standard input',
    async () => {
      const file = put('code.txt', `${world.code()}\n`)
      expect(await chiyuan('verify', file, ...lists, ...at)).toMatchObject({ code: 0 })
      expect(await chiyuanReading(`${world.code()}\n`, 'verify', '-', ...lists, ...at)).toMatchObject({
        code: 0,
      })
    },
    oneMinute,
  )

  it(
    'goes by no list that is older than allowed',
    async () => {
      const late = ['--at', new Date((now + 5 * hour) * 1000).toISOString()]
      const text = world.code({ iat: now + 5 * hour, exp: now + 5 * hour + 60 })
      expect(await chiyuan('verify', text, ...lists, ...late)).toMatchObject({ code: 0 })
      const strict = await chiyuan('verify', text, ...lists, ...late, '--max-list-age-hours', '5')
      expect(strict).toMatchObject({ code: 16 })
    },
    oneMinute,
  )

  it(
    'takes the newer of two lists of one key, in any order',
    async () => {
      const newer = put('newer.jws', world.revocations({ counter: 2, revoked: [{ rid: aCode().rid }] }))
      for (const files of [
        [newer, revocations],
        [revocations, newer],
      ]) {
        const given = ['--root', root, '--trust-list', trust, '--revocations', ...files]
        expect(await chiyuan('verify', world.code(), ...given, ...at)).toMatchObject({ code: 13 })
      }
    },
    oneMinute,
  )
})

describe('chiyuan verify refuses', () => {
  it(
    'files that can’t be used, all at once',
    async () => {
      const broken = put('broken.json', '{"kty":"EC","d":"a-private-part"')
      const end = await chiyuan(
        'verify',
        home.file('none.txt'),
        '--root',
        broken,
        '--trust-list',
        home.file('none.jws'),
      )
      expect(end.code).toBe(1)
      expect(end.stderr.trim().split('\n')).toHaveLength(3)
      expect(end.stderr).toContain('none.txt: there is no such file; give the file of a code')
      expect(end.stderr).toContain('broken.json: not valid JSON')
      expect(end.stderr).toContain('none.jws: there is no such file; give the file of the trust list')
      expect(end.stderr).not.toContain('a-private-part')
    },
    oneMinute,
  )

  it.each([
    {
      name: 'a root that did not sign the list',
      flags: ['--root', put('other.json', JSON.stringify(handKey().jwk)), '--trust-list', trust],
      says: 'trust.jws: not to be gone by (unknown-signer)',
    },
    {
      name: 'a private root key',
      flags: [
        '--root',
        put('private.json', JSON.stringify({ ...world.root.jwk, d: 'x' })),
        '--trust-list',
        trust,
      ],
      says: 'Unrecognized key: "d"; give a public key',
    },
    {
      name: 'a list of another kind',
      flags: ['--root', root, '--trust-list', revocations],
      says: '610100.jws: not to be gone by (header)',
    },
    {
      name: 'a list from the future',
      flags: ['--root', root, '--trust-list', put('future.jws', world.trustList({ iat: now + hour }))],
      says: '(from-the-future): it was issued 3600 s from now',
    },
    {
      name: 'a revocation list of a stranger',
      flags: [
        ...lists.slice(0, 4),
        '--revocations',
        put('strange.jws', handKey().sign('chiyuan-revocation-list', {})),
      ],
      says: 'strange.jws: not to be gone by (unknown-signer)',
    },
    {
      name: 'no root',
      flags: ['--trust-list', trust],
      says: "required option '--root <file>' not specified",
    },
    {
      name: 'a time without zone',
      flags: [...lists, '--at', '2026-01-05T09:00:00'],
      says: 'It must be a time with its zone, such as 2026-01-05T09:00:00+08:00',
    },
    {
      name: '30 February',
      flags: [...lists, '--at', '2026-02-30T09:00:00Z'],
      says: 'It must be a time with its zone',
    },
    {
      name: 'an age of nothing',
      flags: [...lists, '--max-list-age-hours', '0'],
      says: 'It must be a whole number from 1 to 8784',
    },
  ])(
    '$name: exit code 1 and the remedy',
    async ({ flags, says }) => {
      const end = await chiyuan('verify', world.code(), ...at, ...flags)
      expect(end).toMatchObject({ code: 1, stdout: '' })
      expect(end.stderr).toContain(says)
    },
    oneMinute,
  )

  it(
    'standard input without end',
    async () => {
      const end = await chiyuanReading('e'.repeat(200_000), 'verify', '-', ...lists)
      expect(end.stderr).toContain("standard input: longer than 65536 bytes; it can't be a code")
      expect(end.code).toBe(1)
    },
    oneMinute,
  )
})

it(
  'the help tells every exit code, and shows examples',
  async () => {
    const { code, stdout } = await chiyuan('verify', '--help')
    expect(code).toBe(0)
    const codes =
      '0 valid, 10 expired, 11 not-yet-valid, 12 tampered, 13 revoked, 14 unknown-issuer, 15 undelegated'
    expect(stdout).toContain(`${codes}, 16 list-too-old, 17 malformed`)
    expect(stdout).toContain('离线验码')
    expect(stdout).toContain('chiyuan verify - --root root.jwk')
  },
  oneMinute,
)
