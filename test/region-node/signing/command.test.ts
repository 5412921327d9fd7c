import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { CodeSigner } from '../../../region-node/signing/code-signer.ts'
import { KeyRing } from '../../../region-node/signing/key-ring.ts'
import { chiyuan } from '../chiyuan.ts'
import { temporaryFolder } from '../running-node.ts'

// Each test starts several processes, which takes its time on a busy machine.
const twoMinutes = 120_000
const region = '610100'

const must = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await chiyuan(...args)
  expect({ code, stderr }).toStrictEqual({ code: 0, stderr: '' })
  return stdout
}

it(
  'keys, lists and codes from the command line verify there',
  async () => {
    using home = temporaryFolder()
    const file = (name: string): string => home.file(name)
    const passphraseFile = file('passphrase')
    writeFileSync(passphraseFile, 'synthetic passphrase\n', { mode: 0o600 })
    const sealed = ['--passphrase-file', passphraseFile]
    await must('keys', 'new', '--dir', file('root'), '--region', '100000')
    const made = await must('keys', 'new', '--dir', file('xian'), '--region', region, ...sealed)
    const [kid = ''] = made.split(' ')
    expect(made).toContain('signs for 610100 now, until ')
    writeFileSync(file('root.json'), await must('keys', 'jwks', '--dir', file('root')))
    writeFileSync(file('xian.json'), await must('keys', 'jwks', '--dir', file('xian')))
    writeFileSync(file('trust.yaml'), 'issuers:\n  - { region: 610100, jwks: xian.json }\n')
    writeFileSync(file('revoked.yaml'), 'revoked: []\n')
    const trust = file('trust.jws')
    const revocations = file('revoked.jws')
    const signTrust = ['trust', 'sign', file('trust.yaml'), '--dir', file('root'), '--out', trust]
    const revoke = [
      'trust',
      'revoke',
      file('revoked.yaml'),
      '--dir',
      file('xian'),
      '--out',
      revocations,
      ...sealed,
    ]
    expect(await must(...signTrust)).toContain('list 1, ')
    expect(await must(...signTrust)).toContain('list 2, ')
    expect(await must(...revoke)).toContain('list 1, ')

    const ring = await KeyRing.open(file('xian'), 'synthetic passphrase')
    const signer = new CodeSigner({ ring, delegations: () => [] })
    const subject = { hom: region, sub: 'synthetic-token-0001', st: 'green', seq: 1 } as const
    const signing = await signer.carried(subject, { nowMs: Date.now() })
    if (!signing.ok) throw new Error(signing.reason)
    const lists = ['--root', file('root.json'), '--trust-list', trust, '--revocations', revocations]
    expect(await must('verify', signing.code.text, ...lists)).toContain('Valid: green')

    writeFileSync(file('revoked.yaml'), `kid: ${kid}\nrevoked:\n  - rid: ${signing.code.rid}\n`)
    expect(await must(...revoke)).toContain('list 2, ')
    expect(await chiyuan('verify', signing.code.text, ...lists)).toMatchObject({ code: 13 })
    expect(readdirSync(home.file('.')).filter((name) => name.startsWith('trust.jws'))).toStrictEqual([
      'trust.jws',
    ])
  },
  twoMinutes,
)

describe('chiyuan keys', () => {
  it(
    'rotates, and lists what signs and what is next',
    async () => {
      using home = temporaryFolder()
      const dir = home.file('keys')
      await must('keys', 'new', '--dir', dir, '--region', region)
      const [next = ''] = (
        await must('keys', 'rotate', '--dir', dir, '--lead-hours', '24', '--days', '30')
      ).split(' ')
      const listed = await must('keys', 'list', '--dir', dir)
      expect(listed.trim().split('\n')).toHaveLength(2)
      expect(listed).toMatch(new RegExp(`${next}  610100  next 待启用`))
      expect(listed).toContain('signing 签发中')
      expect(JSON.parse(await must('keys', 'jwks', '--dir', dir))).toMatchObject({
        keys: [{}, { kid: next }],
      })
      const files = readdirSync(dir).map((name) =>
        (statSync(home.file(`keys/${name}`)).mode & 0o777).toString(8),
      )
      expect(files).toStrictEqual(['600', '600'])
    },
    twoMinutes,
  )

  it(
    'says what is wrong, and never what is in a key',
    async () => {
      using home = temporaryFolder()
      const dir = home.file('keys')
      await must('keys', 'new', '--dir', dir, '--region', region)
      const [name = ''] = readdirSync(dir)
      const key = home.file(`keys/${name}`)
      const [, d = ''] = /"d": "([^"]+)"/.exec(readFileSync(key, 'utf8')) ?? []
      const short = home.file('short')
      writeFileSync(short, 'too short\n', { mode: 0o600 })
      const open = home.file('open')
      writeFileSync(open, 'synthetic passphrase\n')
      chmodSync(open, 0o644)
      const complaints = [
        { args: ['new', '--dir', dir, '--region', region], says: 'it holds keys already' },
        {
          args: ['new', '--dir', dir, '--region', '61010'],
          says: 'It must be a six-digit division code such as 610100',
        },
        {
          args: ['rotate', '--dir', dir, '--passphrase-file', short],
          says: 'the passphrase has 9 characters; it must have at least 12',
        },
        { args: ['rotate', '--dir', dir, '--passphrase-file', open], says: `chmod 600 '${open}'` },
        {
          args: ['rotate', '--dir', dir, '--lead-hours', '-1'],
          says: 'It must be a whole number from 0 to 720',
        },
        {
          args: ['rotate', '--dir', dir, '--passphrase-file', home.file('none')],
          says: 'none: reading it failed: there is no such file',
        },
        { args: ['list', '--dir', home.file('none')], says: 'make keys with: chiyuan keys new' },
      ]
      for (const { args, says } of complaints) {
        const end = await chiyuan('keys', ...args)
        expect(end).toMatchObject({ code: 1, stdout: '' })
        expect(end.stderr).toContain(says)
        expect(end.stderr).not.toContain('too short')
      }
      writeFileSync(key, readFileSync(key, 'utf8').slice(0, -30))
      for (const verb of ['list', 'jwks', 'rotate']) {
        const { code, stdout, stderr } = await chiyuan('keys', verb, '--dir', dir)
        expect(code).toBe(1)
        expect(stderr).toContain(`${key}: not a key file of chiyuan`)
        expect(stdout + stderr).not.toContain(d.slice(0, 8))
      }
    },
    twoMinutes,
  )
})

describe('chiyuan trust', () => {
  it(
    'tells everything that is wrong with a description at once: line, field, value, what would be right',
    async () => {
      using home = temporaryFolder()
      await must('keys', 'new', '--dir', home.file('root'), '--region', '100000')
      const [name = ''] = readdirSync(home.file('root'))
      writeFileSync(home.file('text.json'), 'no JSON')
      const description = home.file('trust.yaml')
      writeFileSync(
        description,
        `issuers:
  - { region: 61010, jwks: none.json }
  - { region: 610400, jwks: text.json }
  - { region: 610300, jwks: root/${name} }
  - { region: 610500 }
delegations:
  - { donor: 610400, hom: 610100, from: yesterday, until: 2026-02-05T00:00:00+08:00 }
more: 1
`,
      )
      const { code, stderr } = await chiyuan(
        'trust',
        'sign',
        description,
        '--dir',
        home.file('root'),
        '--out',
        home.file('out'),
      )
      expect(code).toBe(1)
      const told = [
        'trust.yaml:2: issuers[0].region: 61010 is not usable; it must be a six-digit division code such as 610100',
        'trust.yaml:2: issuers[0].jwks: "none.json": ',
        'trust.yaml:3: issuers[1].jwks: "text.json": ',
        'trust.yaml:4: issuers[2].jwks: ',
        'trust.yaml:5: issuers[3].jwks: missing; it must be a text',
        'trust.yaml:7: delegations[0].from: "yesterday" is not usable; it must be a time with its zone',
        'trust.yaml:8: more: no such field',
      ]
      for (const line of told) expect(stderr).toContain(line)
      expect(readdirSync(home.file('.')).sort()).toStrictEqual(['root', 'text.json', 'trust.yaml'])
    },
    twoMinutes,
  )

  it(
    'finds what no field alone can tell',
    async () => {
      using home = temporaryFolder()
      const root = home.file('root')
      await must('keys', 'new', '--dir', root, '--region', '100000')
      writeFileSync(home.file('keys.json'), await must('keys', 'jwks', '--dir', root))
      const description = home.file('trust.yaml')
      writeFileSync(
        description,
        `issuers:
  - { region: 610100, jwks: keys.json }
  - { region: 610100, jwks: keys.json }
delegations:
  - { donor: 610400, hom: 610100, from: 2026-02-05T00:00:00+08:00, until: 2026-02-05T00:00:00+08:00 }
  - { donor: 610100, hom: 610100, from: 2026-01-05T00:00:00+08:00, until: 2026-02-05T00:00:00+08:00 }
`,
      )
      const { code, stderr } = await chiyuan(
        'trust',
        'sign',
        description,
        '--dir',
        root,
        '--out',
        home.file('out'),
      )
      expect(code).toBe(1)
      expect(stderr).toContain('trust.yaml:3: issuers[1].region: 610100 stands twice')
      expect(stderr).toContain('is listed for 610100 already')
      expect(stderr).toContain('trust.yaml:5: delegations[0].donor: 610400 has no keys under issuers')
      expect(stderr).toContain('trust.yaml:5: delegations[0].until: not later than from')
      expect(stderr).toContain("trust.yaml:6: delegations[1].donor: 610100 can't be its own donor")
    },
    twoMinutes,
  )

  it(
    'keeps residents’ tokens out of its complaints, and counts on from nothing but a list',
    async () => {
      using home = temporaryFolder()
      const dir = home.file('keys')
      await must('keys', 'new', '--dir', dir, '--region', region)
      const description = home.file('revoked.yaml')
      const out = home.file('out')
      writeFileSync(description, 'revoked:\n  - sub: synthetic-token-0001\n')
      const bad = await chiyuan('trust', 'revoke', description, '--dir', dir, '--out', out)
      expect(bad).toMatchObject({ code: 1, stdout: '' })
      expect(bad.stderr).toContain('revoked.yaml:2: revoked[0]: what stands there is not usable')
      expect(bad.stderr).not.toContain('synthetic-token-0001')
      writeFileSync(description, 'revoked: [\n  sub: synthetic-token-0001\n')
      const noYaml = await chiyuan('trust', 'revoke', description, '--dir', dir, '--out', out)
      expect(noYaml.stderr).toMatch(/revoked.yaml:\d+: not valid YAML \([A-Z_]+\)/)
      expect(noYaml.stderr).not.toContain('synthetic-token-0001')
      writeFileSync(
        description,
        'revoked:\n  - { sub: synthetic-token-0001, before: 2099-01-05T09:00:00+08:00 }\n',
      )
      const ahead = await chiyuan('trust', 'revoke', description, '--dir', dir, '--out', out)
      expect(ahead).toMatchObject({ code: 1, stdout: '' })
      expect(ahead.stderr).toContain('revoked.0.before: 300 s after iat at the most')
      expect(ahead.stderr).not.toContain('synthetic-token-0001')
      writeFileSync(description, 'revoked: []\n')
      writeFileSync(out, 'something else')
      const other = await chiyuan('trust', 'revoke', description, '--dir', dir, '--out', out)
      expect(other.stderr).toContain('out: it is not a chiyuan-revocation-list that can be counted on from')
      expect(readFileSync(out, 'utf8')).toBe('something else')
      expect(
        await must('trust', 'revoke', description, '--dir', dir, '--out', out, '--counter', '41'),
      ).toContain('list 41,')
      expect(await must('trust', 'revoke', description, '--dir', dir, '--out', out)).toContain('list 42,')
    },
    twoMinutes,
  )
})
