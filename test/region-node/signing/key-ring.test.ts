import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it, jest } from '@jest/globals'
import * as fc from 'fast-check'
import { privateKeyOf } from '../../../region-node/signing/key-document.ts'
import { KeyError } from '../../../region-node/signing/key-error.ts'
import { writeKeyFile } from '../../../region-node/signing/key-folder.ts'
import { stagesAt } from '../../../region-node/signing/key-life.ts'
import { KeyRing, readKeyDocuments } from '../../../region-node/signing/key-ring.ts'
import { createFirstKey, rotate } from '../../../region-node/signing/rotation.ts'
import { advisedRounds, seal, unseal } from '../../../region-node/signing/sealing.ts'
import { publicKeySchema } from '../../../region-node/verify/public-key.ts'
import { temporaryFolder } from '../running-node.ts'
import { day, handKey, hour, now, nowMs } from '../verify/hand-signed.ts'

// Hundreds of signatures take their time on a busy machine.
jest.setTimeout(60_000)

const options = { nowMs, days: 180, passphrase: null }
const passphrase = 'synthetic passphrase'
// Few rounds: what is tested is not how long a guess takes.
const sealed = { nowMs, days: 90, passphrase, rounds: 1000 }

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)
const onlyFile = (folder: string): string => {
  const [name = ''] = readdirSync(folder)
  return join(folder, name)
}
const complaint = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.then(
    () => null,
    (cause: unknown) => cause,
  )
  expect(error).toBeInstanceOf(KeyError)
  // Whole, as a log would have it: with causes and properties.
  return inspect(error, { depth: null, showHidden: true })
}

describe('a new key', () => {
  it('lies in a file 0600 in a folder 0700, named by its thumbprint, and nothing else does', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys/610100')
    const jwk = await createFirstKey(folder, '610100', options)
    expect(publicKeySchema.parse(jwk)).toStrictEqual(jwk)
    expect(readdirSync(folder)).toStrictEqual([`${jwk.kid}.json`])
    expect([modeOf(folder), modeOf(onlyFile(folder))]).toStrictEqual(['700', '600'])
  })

  it('signs at once, for as long as was asked for', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    const jwk = await createFirstKey(folder, '610100', options)
    const ring = await KeyRing.open(folder)
    expect(ring.region).toBe('610100')
    expect(ring.signerAt(nowMs)?.jwk).toStrictEqual(jwk)
    expect(ring.signerAt((now + 180 * day - 1) * 1000)?.jwk).toStrictEqual(jwk)
    expect(ring.signerAt((now + 180 * day) * 1000)).toBeNull()
    expect(ring.signerAt((now - 1) * 1000)).toBeNull()
  })

  it('is the first: where keys lie already, rotate is what is meant', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    await createFirstKey(folder, '610100', options)
    expect(await complaint(createFirstKey(folder, '610100', options))).toContain('chiyuan keys rotate')
  })
})

describe('files that are too open', () => {
  it.each(['640', '604', '644', '620', '666'])(
    'a key of mode %s is refused with the remedy',
    async (mode) => {
      using home = temporaryFolder()
      const folder = home.file('keys')
      await createFirstKey(folder, '610100', options)
      const file = onlyFile(folder)
      chmodSync(file, Number.parseInt(mode, 8))
      const said = await complaint(KeyRing.open(folder))
      expect(said).toContain(`${file}: its mode is ${mode}`)
      expect(said).toContain(`chmod 600 '${file}'`)
    },
  )

  it.each(['750', '701', '755', '777'])('a folder of mode %s is refused with the remedy', async (mode) => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    await createFirstKey(folder, '610100', options)
    chmodSync(folder, Number.parseInt(mode, 8))
    expect(await complaint(KeyRing.open(folder))).toContain(`chmod 700 '${folder}'`)
    expect(await complaint(rotate(folder, { ...options, leadSeconds: 0 }))).toContain(`chmod 700 '${folder}'`)
    chmodSync(folder, 0o700)
    expect((await KeyRing.open(folder)).region).toBe('610100')
  })
})

describe('folders that hold no usable keys', () => {
  it('is no folder', async () => {
    using home = temporaryFolder()
    expect(await complaint(KeyRing.open(home.file('none')))).toContain('make keys with: chiyuan keys new')
  })

  it('holds keys of two regions', async () => {
    using home = temporaryFolder()
    const [one, other] = [home.file('one'), home.file('other')]
    const { kid } = await createFirstKey(one, '610100', options)
    await createFirstKey(other, '610400', options)
    await writeKeyFile(other, kid, readFileSync(onlyFile(one), 'utf8'))
    expect(await complaint(KeyRing.open(other))).toContain('a folder is for one region')
  })

  it('holds sealed keys and others', async () => {
    using home = temporaryFolder()
    const [one, other] = [home.file('one'), home.file('other')]
    const { kid } = await createFirstKey(one, '610100', options)
    await createFirstKey(other, '610100', sealed)
    await writeKeyFile(other, kid, readFileSync(onlyFile(one), 'utf8'))
    expect(await complaint(KeyRing.open(other, passphrase))).toContain(
      'some keys are sealed and some are not',
    )
  })

  it('leaves no draft behind when a write fails, and takes none for a key', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    const { kid } = await createFirstKey(folder, '610100', options)
    writeFileSync(join(folder, '.draft-of-a-crash'), '{', { mode: 0o600 })
    expect((await KeyRing.open(folder)).signerAt(nowMs)?.jwk.kid).toBe(kid)
    const other = handKey().kid
    mkdirSync(join(folder, `${other}.json`, 'in-the-way'), { recursive: true, mode: 0o700 })
    expect(await complaint(writeKeyFile(folder, other, '{}'))).toContain('writing it failed')
    expect(readdirSync(folder).sort()).toStrictEqual(
      ['.draft-of-a-crash', `${kid}.json`, `${other}.json`].sort(),
    )
  })
})

describe('a passphrase', () => {
  it('seals the key with the advised rounds, and opens it', async () => {
    const text = await seal('a secret', passphrase)
    const [header = ''] = text.split('.')
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({
      alg: 'PBES2-HS512+A256KW',
      enc: 'A256GCM',
      p2c: advisedRounds,
    })
    expect(await unseal(text, passphrase, 'file')).toBe('a secret')
  }, 60_000)

  it('leaves no private part in the clear', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    await createFirstKey(folder, '610100', sealed)
    expect(readFileSync(onlyFile(folder), 'utf8')).not.toContain('"d"')
    expect((await KeyRing.open(folder, passphrase)).signerAt(nowMs)).not.toBeNull()
  })

  it.each([
    { name: 'wrong', given: 'another passphrase', says: 'wrong passphrase, or the file is damaged' },
    { name: 'missing', given: null, says: 'give its passphrase by --passphrase-file' },
  ])('that is $name is told in clear words', async ({ given, says }) => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    await createFirstKey(folder, '610100', sealed)
    const file = onlyFile(folder)
    const attempts = [
      () => KeyRing.open(folder, given),
      () => rotate(folder, { ...options, passphrase: given, leadSeconds: 0 }),
    ]
    for (const attempt of attempts) {
      const said = await complaint(attempt())
      expect(said).toContain(`${file}: `)
      expect(said).toContain(says)
      expect(said).not.toContain('another passphrase')
    }
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('can’t be added by a rotation, which would leave a ring that nothing opens', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    await createFirstKey(folder, '610100', options)
    expect(await complaint(rotate(folder, { ...sealed, leadSeconds: 0 }))).toContain('not sealed')
  })

  it('is not asked for where only public parts are read', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    const jwk = await createFirstKey(folder, '610100', sealed)
    expect((await readKeyDocuments(folder)).map((document) => document.jwk)).toStrictEqual([jwk])
  })
})

describe('the private key', () => {
  it.each([options, sealed])('can sign, and can’t be exported again', async (made) => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    await createFirstKey(folder, '610100', made)
    const [document] = await readKeyDocuments(folder)
    if (document === undefined) throw new Error('no key')
    const key = await privateKeyOf(document, made.passphrase, onlyFile(folder))
    expect(key).toMatchObject({ type: 'private', extractable: false, usages: ['sign'] })
  })

  const privatePartIn = (file: string): string => {
    const [, d = ''] = /"d": "([^"]{43})"/.exec(readFileSync(file, 'utf8')) ?? []
    expect(d).toHaveLength(43)
    return d
  }

  it('comes out of no property, no text and no export of a ring', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    await createFirstKey(folder, '610100', options)
    const ring = await KeyRing.open(folder)
    const signer = ring.signerAt(nowMs)
    const d = privatePartIn(onlyFile(folder))
    const told = [ring, signer, ring.jwks(nowMs), ring.stages(nowMs)].flatMap((value) => [
      inspect(value, { depth: null, showHidden: true, getters: true }),
      JSON.stringify(value),
    ])
    for (const text of told) {
      expect(text).not.toContain(d)
      expect(text).not.toContain(Buffer.from(d, 'base64url').toString('hex'))
      expect(text).not.toMatch(/"d"|\bd: /)
    }
  })

  it.each([
    { name: 'cut short', damage: (text: string) => text.slice(0, -20) },
    { name: 'not JSON any more', damage: (text: string) => text.replace('{', '') },
    { name: 'with a field too many', damage: (text: string) => text.replace('{', '{"more":1,') },
    {
      name: 'with its region gone',
      damage: (text: string) => text.replace(/"region": "\d+"/, '"region": "x"'),
    },
    { name: 'with a public part that is not its own', damage: (text: string) => swapPublic(text) },
    {
      name: 'with another private part',
      damage: (text: string) => text.replace(/"d": ".{20}/, `"d": "${'A'.repeat(20)}`),
    },
    { name: 'under another name', damage: (text: string) => text, rename: true },
  ])('stays out of the error when its file is $name', async ({ damage, rename = false }) => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    await createFirstKey(folder, '610100', options)
    const file = onlyFile(folder)
    const d = privatePartIn(file)
    writeFileSync(rename ? join(folder, `${handKey().kid}.json`) : file, damage(readFileSync(file, 'utf8')), {
      mode: 0o600,
    })
    const said = await complaint(KeyRing.open(folder))
    for (let at = 0; at + 8 <= d.length; at += 1) expect(said).not.toContain(d.slice(at, at + 8))
    expect(said).toContain(folder)
  })

  function swapPublic(text: string): string {
    const document: { jwk: object } = JSON.parse(text)
    const { jwk } = document
    const { x, y } = handKey().jwk
    return JSON.stringify({ ...document, jwk: { ...jwk, x, y } }, null, 2)
  }
})

describe('rotation', () => {
  const at = (seconds: number): number => (now + seconds) * 1000

  it('publishes the next key before it signs, and keeps the retired one until its last paper has expired', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    const first = await createFirstKey(folder, '610100', options)
    const { next } = await rotate(folder, { ...options, nowMs: at(day), leadSeconds: 2 * day })
    const ring = await KeyRing.open(folder)
    const view = (seconds: number) => ({
      signs: ring.signerAt(at(seconds))?.jwk.kid,
      published: ring.jwks(at(seconds)).keys.map(({ kid }) => kid),
    })
    const change = 3 * day
    expect(view(day)).toStrictEqual({ signs: first.kid, published: [first.kid, next.kid] })
    expect(view(change - 1)).toStrictEqual({ signs: first.kid, published: [first.kid, next.kid] })
    expect(view(change)).toStrictEqual({ signs: next.kid, published: [first.kid, next.kid] })
    // The last paper of the first key, good for 90 days, may be signed a second before the change.
    expect(view(change - 1 + 90 * day)).toStrictEqual({ signs: next.kid, published: [first.kid, next.kid] })
    expect(view(change + 90 * day + 300)).toStrictEqual({ signs: next.kid, published: [next.kid] })
  })

  it('publishes until when a key signs, as soon as another follows it', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    await createFirstKey(folder, '610100', options)
    const ends = async (seconds: number) =>
      (await KeyRing.open(folder)).jwks(at(seconds)).keys.map(({ signsUntil }) => signsUntil)
    expect(await ends(0)).toStrictEqual([undefined])
    await rotate(folder, { ...options, nowMs: at(day), leadSeconds: 2 * day })
    const change = now + 3 * day + 300
    expect(await ends(day)).toStrictEqual([change, undefined])
    expect(await ends(30 * day)).toStrictEqual([change, undefined])
  })

  it('removes the files of keys that are over, and those only', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    const first = await createFirstKey(folder, '610100', options)
    const { next: second, removed } = await rotate(folder, { ...options, nowMs: at(hour), leadSeconds: 0 })
    expect(removed).toStrictEqual([])
    const later = await rotate(folder, { ...options, nowMs: at(91 * day), leadSeconds: day })
    expect(later.removed).toStrictEqual([first.kid])
    expect(readdirSync(folder).sort()).toStrictEqual([`${second.kid}.json`, `${later.next.kid}.json`].sort())
  })

  it('is refused while a key waits already, but a stolen key is replaced at once', async () => {
    using home = temporaryFolder()
    const folder = home.file('keys')
    await createFirstKey(folder, '610100', options)
    const { next } = await rotate(folder, { ...options, leadSeconds: 2 * day })
    expect(await complaint(rotate(folder, { ...options, leadSeconds: 2 * day }))).toContain(
      `key ${next.kid} is next already`,
    )
    const { next: emergency } = await rotate(folder, { ...options, nowMs: at(hour), leadSeconds: 0 })
    const ring = await KeyRing.open(folder)
    expect(ring.signerAt(at(hour))?.jwk.kid).toBe(emergency.kid)
    expect(ring.signerAt(at(2 * day))?.jwk.kid).toBe(next.kid)
  })

  // Whoever rotates when, with whatever lead.
  it('never leaves a code behind whose key is not published', () => {
    const keys = Array.from({ length: 5 }, () => handKey().jwk)
    const plan = fc.array(
      fc.record({
        made: fc.nat(20 * day),
        lead: fc.nat(3 * day),
        life: fc.integer({ min: 2 * day, max: 120 * day }),
      }),
      { minLength: 1, maxLength: 5 },
    )
    fc.assert(
      fc.property(plan, fc.nat(140 * day), (made, signedAt) => {
        const ring = made.map(({ made: at, lead, life }, i) => {
          const key = keys[i]
          if (key === undefined) throw new Error('more keys than were made')
          return { ...key, nbf: now + at + lead, exp: now + at + lead + life }
        })
        const signing = stagesAt(ring, now + signedAt).filter(({ stage }) => stage === 'signing')
        expect(signing.length).toBeLessThanOrEqual(1)
        const [signer] = signing
        if (signer === undefined) return
        expect(signer.jwk.nbf).toBeLessThanOrEqual(now + signedAt)
        const lastCodeEnds = Math.min(now + signedAt + 90 * day, signer.jwk.exp)
        const stageThen = stagesAt(ring, lastCodeEnds).find(({ jwk }) => jwk.kid === signer.jwk.kid)?.stage
        expect(['signing', 'retired']).toContain(lastCodeEnds < signer.jwk.exp ? stageThen : 'retired')
      }),
    )
  })
})
