// What somebody with a phone and time on their hands would try.
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { beforeAll, describe, expect, it, jest } from '@jest/globals'
import * as fc from 'fast-check'
import type { Lists } from '../../../region-node/verify/lists.ts'
import { maxCodeChars, verifyCode } from '../../../region-node/verify/verify-code.ts'
import { World, aCode, base64url, handKey, lent, now, nowMs } from './hand-signed.ts'

// Hundreds of signatures take their time on a busy machine.
jest.setTimeout(60_000)

const world = new World()
const { kid } = world.xian
const header = JSON.stringify({ alg: 'ES256', typ: 'chiyuan-code', kid })
const claims = JSON.stringify(aCode())
const code = world.code()
const [head = '', body = '', seal = ''] = code.split('.')

let lists: Lists
beforeAll(async () => {
  lists = await world.lists({ delegations: [lent()] }, world.revocations())
})
const outcomeOf = async (text: string): Promise<string> => {
  const verdict = await verifyCode(text, lists, { nowMs })
  return 'reason' in verdict ? `${verdict.outcome}: ${verdict.reason}` : verdict.outcome
}
/** The genuine claims under a header of the attacker's. */
const headed = (changes: object): string =>
  world.xian.signText(JSON.stringify({ alg: 'ES256', typ: 'chiyuan-code', kid, ...changes }), claims)

const mallory = handKey()
const unsigned = (changes: object): string =>
  `${base64url(JSON.stringify({ alg: 'none', typ: 'chiyuan-code', kid, ...changes }))}.${body}.`
const otherCurve = (): string => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const input = `${base64url(JSON.stringify({ alg: 'ES384', typ: 'chiyuan-code', kid }))}.${body}`
  const signature = sign('sha384', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${base64url(signature)}`
}
// The public key taken for a shared secret.
const hmacWithPublicKey = (): string => {
  const pem = createPublicKey(world.xian.privateKey).export({ type: 'spki', format: 'pem' })
  const input = `${base64url(JSON.stringify({ alg: 'HS256', typ: 'chiyuan-code', kid }))}.${body}`
  return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
}
const derSignature = (): string => {
  const input = `${head}.${body}`
  return `${input}.${sign('sha256', Buffer.from(input), world.xian.privateKey).toString('base64url')}`
}
/** Another base64url of the same bytes: a lenient decoder drops what its last character has too much. */
const leftOver = (json: string): string => {
  const sixes = base64url(json)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  if (sixes.length % 4 === 0) throw new Error('every bit of the last character counts here')
  return sixes.slice(0, -1) + alphabet.charAt(alphabet.indexOf(sixes.slice(-1)) + 1)
}
const green = base64url(claims.replace('"sub"', '"st":"green","sub"'))

it('the code that all this is about is valid', async () => {
  expect(await outcomeOf(code)).toBe('valid')
})

describe('attacks', () => {
  it.each([
    { name: 'no signature, alg none', text: unsigned({}), outcome: 'malformed: form' },
    { name: 'alg none, signature kept', text: `${unsigned({})}${seal}`, outcome: 'malformed: header' },
    {
      name: 'alg None in capitals',
      text: `${unsigned({ alg: 'None' })}${seal}`,
      outcome: 'malformed: header',
    },
    { name: 'HS256 with the public key', text: hmacWithPublicKey(), outcome: 'malformed: form' },
    { name: 'ES384 over P-384', text: otherCurve(), outcome: 'malformed: form' },
    { name: 'ES384 in the header alone', text: headed({ alg: 'ES384' }), outcome: 'malformed: header' },
    { name: 'an own key in jwk', text: headed({ jwk: mallory.jwk }), outcome: 'malformed: header' },
    { name: 'an own key at jku', text: headed({ jku: 'https://a.example' }), outcome: 'malformed: header' },
    {
      name: 'an own certificate at x5u',
      text: headed({ x5u: 'https://a.example' }),
      outcome: 'malformed: header',
    },
    { name: 'an own certificate in x5c', text: headed({ x5c: ['MII'] }), outcome: 'malformed: header' },
    { name: 'crit', text: headed({ crit: ['exp'], exp: 1 }), outcome: 'malformed: header' },
    {
      name: 'payload not encoded',
      text: headed({ b64: false, crit: ['b64'] }),
      outcome: 'malformed: header',
    },
    { name: 'compressed', text: headed({ zip: 'DEF' }), outcome: 'malformed: header' },
    { name: 'another type', text: headed({ typ: 'JWT' }), outcome: 'malformed: header' },
    {
      name: 'a trust list as a code',
      text: headed({ typ: 'chiyuan-trust-list' }),
      outcome: 'malformed: header',
    },
    { name: 'no kid', text: headed({ kid: undefined }), outcome: 'malformed: header' },
    {
      name: 'kid twice',
      text: world.xian.signText(`${header.slice(0, -1)},"kid":"${kid}"}`, claims),
      outcome: 'malformed: header',
    },
    { name: 'kid as a path', text: headed({ kid: '../../etc/passwd' }), outcome: 'malformed: header' },
    { name: 'kid of a prototype', text: headed({ kid: '__proto__' }), outcome: 'malformed: header' },
    { name: 'kid of the victim, key of mine', text: mallory.signText(header, claims), outcome: 'tampered' },
    {
      name: 'another one’s signature',
      text: `${head}.${body}.${world.code({ seq: 8 }).split('.')[2]}`,
      outcome: 'tampered',
    },
    { name: 'a colour put in', text: `${head}.${green}.${seal}`, outcome: 'tampered' },
    {
      name: 'a colour twice, by an issuer',
      text: world.xian.signText(header, claims.replace('"sub"', '"st":"red","sub"')),
      outcome: 'malformed: claims',
    },
    {
      name: 'a member twice, once escaped',
      text: world.xian.signText(header, claims.replace('"sub"', '"s\\u0074":"red","sub"')),
      outcome: 'malformed: claims',
    },
    {
      name: 'white space in the claims',
      text: world.xian.signText(header, claims.replace(',', ', ')),
      outcome: 'malformed: claims',
    },
    {
      name: 'a number spelt otherwise',
      text: world.xian.signText(header, claims.replace('"seq":7', '"seq":7.0')),
      outcome: 'malformed: claims',
    },
    {
      name: 'a byte order mark',
      text: world.xian.signText(header, `\u{FEFF}${claims}`),
      outcome: 'malformed: claims',
    },
    {
      name: 'claims that are no JSON',
      text: world.xian.signText(header, 'green'),
      outcome: 'malformed: claims',
    },
    {
      name: 'a prototype in the claims',
      text: world.xian.signText(header, claims.replace('{', '{"__proto__":{},')),
      outcome: 'malformed: claims',
    },
    { name: 'a signature in DER', text: derSignature(), outcome: 'malformed: form' },
    { name: 'a signature of zeros', text: `${head}.${body}.${'A'.repeat(86)}`, outcome: 'tampered' },
    { name: 'a signature of nothing', text: `${head}.${body}.`, outcome: 'malformed: form' },
    { name: 'padding', text: `${code}==`, outcome: 'malformed: form' },
    {
      name: 'a header with bits left over, by an issuer',
      text: world.xian.signParts(leftOver(header), body),
      outcome: 'malformed: form',
    },
    {
      name: 'claims with bits left over, by an issuer',
      text: world.xian.signParts(head, leftOver(JSON.stringify(aCode({ seq: 10 })))),
      outcome: 'malformed: form',
    },
    { name: 'a line end', text: `${code}\n`, outcome: 'malformed: form' },
    { name: 'a fourth part', text: `${code}.${seal}`, outcome: 'malformed: form' },
    { name: 'standard base64', text: `${head}.${body}.${'+'.repeat(85)}A`, outcome: 'malformed: form' },
    {
      name: 'one character too many for a QR code',
      text: 'e'.repeat(maxCodeChars + 1),
      outcome: 'malformed: too-long',
    },
    {
      name: 'ten megabytes',
      text: `${head}.${'A'.repeat(10_000_000)}.${seal}`,
      outcome: 'malformed: too-long',
    },
    { name: 'nesting', text: world.xian.signText(header, '['.repeat(600)), outcome: 'malformed: claims' },
    { name: 'SQL', text: "' OR 1=1; DROP TABLE residents; --", outcome: 'malformed: form' },
    { name: 'nothing', text: '', outcome: 'malformed: form' },
    {
      name: 'a code of tomorrow',
      text: world.code({ iat: now + 86_400, exp: now + 86_460 }),
      outcome: 'not-yet-valid',
    },
    {
      name: 'a code of yesterday',
      text: world.code({ iat: now - 86_400, exp: now - 86_280 }),
      outcome: 'expired',
    },
  ])('$name: $outcome', async ({ text, outcome }) => {
    expect(await outcomeOf(text)).toBe(outcome)
  })
})

describe('properties', () => {
  const alphabet = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ')
  const carried = world.xian.sign('chiyuan-code', aCode({ exp: now + 3600 }))
  const lentCode = world.xianyang.sign('chiyuan-code', aCode({ iss: '610400' }))

  it.each([
    { name: 'display code', text: code },
    { name: 'carried credential', text: carried },
    { name: 'code signed by a donor', text: lentCode },
  ])('a $name with any one character changed never verifies', async ({ text }) => {
    expect(await outcomeOf(text)).toBe('valid')
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom(...alphabet), async (at, letter) => {
        fc.pre(text[at] !== letter)
        expect(await outcomeOf(text.slice(0, at) + letter + text.slice(at + 1))).not.toBe('valid')
      }),
      { numRuns: 300 },
    )
  })

  // A signature's last character has bits that a lenient decoder ignores: each would be one more text of one code.
  it('has one spelling: no other last character of any part verifies', async () => {
    const ends = [head.length - 1, head.length + body.length, code.length - 1]
    for (const at of ends) {
      for (const letter of alphabet) {
        if (letter === code[at]) continue
        expect(await outcomeOf(code.slice(0, at) + letter + code.slice(at + 1))).not.toBe('valid')
      }
    }
  })

  // ECDSA's own second spelling, (r, n - s), anybody can write: so a code is known by its rid and not by its text.
  it('says the same when its signature is written the other way', async () => {
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
    const bytes = Buffer.from(seal, 'base64url')
    const mirrored = (order - BigInt(`0x${bytes.subarray(32).toString('hex')}`))
      .toString(16)
      .padStart(64, '0')
    const other = base64url(Buffer.concat([bytes.subarray(0, 32), Buffer.from(mirrored, 'hex')]))
    const verdict = await verifyCode(`${head}.${body}.${other}`, lists, { nowMs })
    expect(verdict).toStrictEqual(await verifyCode(code, lists, { nowMs }))
  })

  it('cut short or lengthened, it never verifies', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(code.length - 1),
        fc.string({ minLength: 1, maxLength: 8 }),
        async (length, more) => {
          expect(await outcomeOf(code.slice(0, length))).not.toBe('valid')
          expect(await outcomeOf(code.slice(length + 1))).not.toBe('valid')
          expect(await outcomeOf(code + more)).not.toBe('valid')
        },
      ),
      { numRuns: 60 },
    )
  })

  it('says of any text what it is, and throws for none', async () => {
    const part = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map(base64url),
      fc.constantFrom(head, body, seal),
    )
    const text = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 4 }).map((parts) => parts.join('.')),
    )
    await fc.assert(
      fc.asyncProperty(text, async (nonsense) => {
        fc.pre(nonsense !== code)
        expect(await outcomeOf(nonsense)).toMatch(/^(malformed: |tampered)/)
      }),
      { numRuns: 300 },
    )
  })

  it('whatever a listed key signs as claims, only the rules decide', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (payload) => {
        expect(await outcomeOf(world.xian.sign('chiyuan-code', payload))).toBe('malformed: claims')
      }),
      { numRuns: 60 },
    )
  })
})
