// Whatever a client writes, and wherever, a node is sent a token or nothing: each test asks as an attacker would, and
// looks at the bytes that came to the node.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { statusOf, sendRaw } from '../support/raw-client.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import {
  card,
  cardWithX,
  misreadCard,
  type TestPeppers,
  testPeppers,
  withCheckDigit,
} from '../support/id-cards.ts'
import { headerIn, type Wire, wireUpstream } from '../support/wire.ts'

let peppers: TestPeppers
let node: Wire
let edge: TestGateway
let from = 0

const tokens = {
  query: [{ name: 'residentId' }],
  headers: [{ name: 'X-Resident-Id' }],
  bodies: [
    { path: '/v1/tests', fields: ['residentId'] },
    { path: '/v1/family-codes', fields: ['residentId', 'memberIds'] },
  ],
}

beforeAll(async () => {
  peppers = testPeppers()
  node = await wireUpstream()
  edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    tokens: { ...tokens, pepperFile: peppers.file },
    limits: { replayBodyBytes: 8192 },
  })
})

afterAll(async () => {
  await edge.close()
  await node.close()
  peppers[Symbol.dispose]()
})

beforeEach(() => {
  from = seen().length
})

const seen = (): string => node.seen.join('')
/** What the node was sent since the test began. */
const sent = (): string => seen().slice(from)

const get = (target: string, headers = '', version = '1.1'): string =>
  `GET ${target} HTTP/${version}\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`

const post = (target: string, body: string, headers = 'Content-Type: application/json\r\n'): string =>
  `POST ${target} HTTP/1.1\r\nHost: a\r\n${headers}Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\nConnection: close\r\n\r\n${body}`

const ask = async (bytes: string): Promise<string> => (await sendRaw(edge.port, bytes)).text
const askWith = async (body: string, target = '/v1/tests'): Promise<string> =>
  ask(post(target, Buffer.from(body).toString('latin1')))

const escaped = (text: string): string =>
  Array.from(text, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
const percent = (text: string): string =>
  Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
const fullWidth = (text: string): string =>
  Array.from(text, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0)).join('')

/** As Node shows what came as UTF-8 in a header. */
const asBytes = (text: string): string => Buffer.from(text).toString('latin1')

/** Any fourteen digits that the number has in common with no token. */
const digitsOf = (number: string): string => number.slice(0, 14)

describe('a number in the path', () => {
  it.each([
    { name: 'as it is', target: `/v1/codes/${card}` },
    { name: 'with a query', target: `/v1/codes/${card}?lang=zh`, goes: '?lang=zh' },
    { name: 'with a slash at the end', target: `/v1/codes/${card}/`, goes: '/' },
    { name: 'under capitals', target: `/V1/Codes/${card}` },
    { name: 'in percent', target: `/v1/codes/${percent(card)}` },
    { name: 'under a name in percent', target: `/v1/%63odes/${card}` },
    { name: 'in full-width digits, percent-encoded', target: `/v1/codes/${percent(fullWidth(card))}` },
    { name: 'with spaces and hyphens', target: `/v1/codes/${card.slice(0, 6)}-${card.slice(6)}%20` },
    { name: 'in an absolute target', target: `http://a/v1/codes/${card}` },
  ])('$name reaches the node as a token', async ({ target, goes = '' }) => {
    expect(statusOf(await ask(get(target)))).toBe(200)
    const [line = ''] = sent().split('\r\n')
    expect(line).toMatch(/^GET \/v1\/(?:c|%63)odes\//i)
    expect(line.endsWith(`/${peppers.idOf(card)}${goes} HTTP/1.1`)).toBe(true)
    expect(sent()).not.toContain(digitsOf(card))
  })

  it.each(['x', 'X', '%78', '%58'])('that ends in %s is the same person’s', async (end) => {
    await ask(get(`/v1/codes/${cardWithX.slice(0, 17)}${end}`))
    expect(sent()).toContain(`/v1/codes/${peppers.idOf(cardWithX)} `)
  })

  it.each([
    { name: 'misread', target: `/v1/codes/${misreadCard}` },
    { name: 'too short', target: `/v1/codes/${card.slice(0, 17)}` },
    { name: 'too long', target: `/v1/codes/${card}0` },
    { name: 'encoded twice', target: `/v1/codes/${percent(percent(card))}` },
    { name: 'with something behind it', target: `/v1/codes/${card};v=1` },
    { name: 'with an encoded slash', target: `/v1/codes/${card}%2f` },
    { name: 'with a zero byte', target: `/v1/codes/${card}%00` },
    { name: 'no number but an id of another kind', target: '/v1/codes/R610100-000001' },
    { name: 'no number but a token id', target: '/v1/codes/t.AAAAAAAAAAAAAAAAAAAAAA' },
    { name: 'malformed percent', target: `/v1/codes/${card}%zz` },
  ])('$name is refused and goes nowhere', async ({ target }) => {
    const answer = await ask(get(target, 'Accept-Language: zh-CN\r\n'))
    expect(statusOf(answer)).toBe(422)
    expect(answer).toContain('urn:chiyuan:problem:document-number')
    expect(Buffer.from(answer, 'latin1').toString()).toContain('证件号码有误')
    expect(answer).not.toContain(digitsOf(card))
    expect(sent()).toBe('')
  })

  it('in bytes that no address may hold is refused', async () => {
    const target = `/v1/codes/${Buffer.from(fullWidth(card)).toString('latin1')}`
    expect(statusOf(await ask(get(target)))).toBe(400)
    expect(sent()).toBe('')
  })

  it.each([
    `//v1/codes/${misreadCard}`,
    `/v1//codes/${misreadCard}`,
    `/v1/./codes/${misreadCard}`,
    `/x/../v1/codes/${misreadCard}`,
    `/x/%2e%2e/v1/codes/${misreadCard}`,
    `/v1;a=b/codes/${misreadCard}`,
    `/v1%2fcodes%2f${misreadCard}`,
    `/v1/codes\\${misreadCard}`,
    `/v1/codes/./${misreadCard}`,
  ])('on a path that a server could clean is refused: %s', async (target) => {
    expect(statusOf(await ask(get(target)))).toBe(400)
    expect(sent()).toBe('')
  })
})

describe('a number in the query', () => {
  it.each([
    { name: 'once', query: `residentId=${card}`, goes: (id: string) => `residentId=${id}` },
    {
      name: 'twice',
      query: `residentId=${card}&a=1&residentId=${card}`,
      goes: (id: string) => `residentId=${id}&a=1&residentId=${id}`,
    },
    { name: 'as a list', query: `residentId[]=${card}`, goes: (id: string) => `residentId[]=${id}` },
    { name: 'under capitals', query: `RESIDENTID=${card}`, goes: (id: string) => `RESIDENTID=${id}` },
    {
      name: 'in percent',
      query: `resident%49d=${percent(card)}`,
      goes: (id: string) => `resident%49d=${id}`,
    },
    { name: 'with plus signs', query: `residentId=+${card}+`, goes: (id: string) => `residentId=${id}` },
  ])('$name reaches the node as a token', async ({ query, goes }) => {
    await ask(get(`/v1/anything?${query}`))
    expect(sent()).toContain(`GET /v1/anything?${goes(peppers.idOf(card))} HTTP/1.1`)
    expect(sent()).not.toContain(digitsOf(card))
  })

  it.each([
    `residentId=${misreadCard}`,
    `residentId=${card}&residentId=${misreadCard}`,
    `residentId=${card},${card}`,
    `residentId=1;residentId=${misreadCard}`,
  ])('that is wrong is refused: %s', async (query) => {
    expect(statusOf(await ask(get(`/v1/anything?${query}`)))).toBe(422)
    expect(sent()).toBe('')
  })
})

describe('a number in a header', () => {
  it('reaches the node as a token, each time it stands there', async () => {
    await ask(get('/v1/anything', `X-Resident-Id: ${card}\r\nx-resident-id: ${cardWithX.toLowerCase()}\r\n`))
    expect(headerIn(sent(), 'x-resident-id')).toBe(`${peppers.idOf(card)}|${peppers.idOf(cardWithX)}`)
    expect(sent()).not.toContain(digitsOf(card))
  })

  it.each([fullWidth(card), percent(card), ` ${card} `])(
    'written as %s is the same person’s',
    async (value) => {
      await ask(get('/v1/anything', `X-Resident-Id: ${asBytes(value)}\r\n`))
      expect(headerIn(sent(), 'x-resident-id')).toBe(peppers.idOf(card))
    },
  )

  it.each([misreadCard, `${card}, ${card}`, `id=${card}`])('that is wrong is refused: %s', async (value) => {
    expect(statusOf(await ask(get('/v1/anything', `X-Resident-Id: ${value}\r\n`)))).toBe(422)
    expect(sent()).toBe('')
  })

  it('that the browser adds by itself is left out, and the request goes on', async () => {
    const referer = `Referer: https://a/page?who=${card}\r\n`
    expect(statusOf(await ask(get('/style.css', referer)))).toBe(200)
    expect(headerIn(sent(), 'referer')).toBeUndefined()
    expect(sent()).not.toContain(digitsOf(card))
  })
})

describe('a number where none may be', () => {
  it.each([
    { name: 'in a path', bytes: get(`/v1/people/${card}/photo`) },
    { name: 'in a path, encoded', bytes: get(`/v1/people/${percent(card)}`) },
    { name: 'in a path, encoded three times', bytes: get(`/v1/people/${percent(percent(percent(card)))}`) },
    { name: 'in full-width digits', bytes: get(`/v1/people/${percent(fullWidth(card))}`) },
    { name: 'in a query', bytes: get(`/v1/people?id=${card}`) },
    { name: 'as a name in a query', bytes: get(`/v1/people?${card}`) },
    { name: 'beside a number that is in its place', bytes: get(`/v1/codes/${card}?again=${card}`) },
    { name: 'in a cookie', bytes: get('/v1/people', `Cookie: a=1; id=${cardWithX}\r\n`) },
    { name: 'in the request’s id', bytes: get('/v1/people', `X-Request-Id: ${card}\r\n`) },
    {
      name: 'in a header, in full-width bytes',
      bytes: get('/v1/people', `X-Note: ${asBytes(fullWidth(card))}\r\n`),
    },
    { name: 'in an idempotency key', bytes: get('/v1/people', `Idempotency-Key: test-${card}\r\n`) },
    { name: 'in a host', bytes: `GET /v1/people HTTP/1.1\r\nHost: n${cardWithX}.example\r\n\r\n` },
    { name: 'in the host of an absolute target', bytes: get(`http://n${cardWithX}.example/v1/people`) },
    { name: 'in the query of a body’s path', bytes: post(`/v1/tests?id=${card}`, '{}') },
  ])('$name is refused and counted, and goes nowhere', async ({ bytes }) => {
    const before = await edge.metric('chiyuan_refusals_total', 'reason="document-misplaced"')
    const answer = await ask(bytes)
    expect(statusOf(answer)).toBe(400)
    expect(answer).toContain('urn:chiyuan:problem:document-misplaced')
    expect(answer).not.toContain(digitsOf(card))
    expect(sent()).toBe('')
    expect(await edge.metric('chiyuan_refusals_total', 'reason="document-misplaced"')).toBe(before + 1)
  })

  it.each([
    { name: 'a longer run of digits', target: `/v1/orders/20${card}` },
    { name: 'eighteen digits that are no number', target: '/v1/orders/610100202201049999' },
    { name: 'a misread number, which may be anything', target: `/v1/orders/${misreadCard}` },
  ])('$name passes: it is none', async ({ target }) => {
    expect(statusOf(await ask(get(target)))).toBe(200)
    expect(sent()).toContain(`GET ${target} HTTP/1.1`)
  })
})

describe('a number in a JSON body', () => {
  const bodySent = (): string => sent().slice(sent().indexOf('\r\n\r\n') + 4)

  it.each([
    {
      name: 'as it is, and all else stays to the byte',
      body: (id: string) =>
        `{ "residentId" : "${id}",\n "n": 12345678901234567890, "x": 1.0, "t":"\\u0041\\/" }`,
    },
    {
      name: 'twice, whichever the node believes',
      body: (id: string) => `{"residentId":"${id}","residentId":"${id}"}`,
    },
    { name: 'under another field', body: (id: string) => `{"a":{"b":[{"residentId":"${id}"}]}}` },
    { name: 'in lists of lists', body: (id: string) => `{"residentId":["${id}",[["${id}"]],null,true]}` },
    {
      name: 'in an object',
      body: (id: string) => `{"residentId":{"value":"${id}","other":{"deep":["${id}"]}}}`,
    },
    { name: 'under capitals', body: (id: string) => `{"RESIDENTID":"${id}"}` },
    { name: 'under an escaped name', body: (id: string) => `{"${escaped('residentId')}":"${id}"}` },
    { name: 'under a long s', body: (id: string) => `{"reſidentId":"${id}"}` },
    { name: 'under __proto__', body: (id: string) => `{"__proto__":{"residentId":"${id}"}}` },
    { name: 'at the top', body: (id: string) => `[{"residentId":"${id}"},{"residentId":"${id}"}]` },
    { name: 'after a list has ended', body: (id: string) => `{"a":["]","\\"{",1,"}"],"residentId":"${id}"}` },
  ])('$name reaches the node as a token', async ({ body }) => {
    expect(statusOf(await askWith(body(card)))).toBe(200)
    const expected = body(peppers.idOf(card))
    expect(Buffer.from(bodySent(), 'latin1').toString()).toBe(expected)
    expect(headerIn(sent(), 'content-length')).toBe(String(Buffer.byteLength(expected)))
  })

  it.each([
    { name: 'escaped', written: escaped(card) },
    { name: 'partly escaped', written: `${escaped(card.slice(0, 3))}${card.slice(3)}` },
    { name: 'in full-width digits', written: fullWidth(card) },
    { name: 'in spaces', written: `\\t${card.slice(0, 10)} ${card.slice(10)}\\n` },
  ])('$name is the same person’s', async ({ written }) => {
    await askWith(`{"residentId":"${written}"}`)
    expect(bodySent()).toBe(`{"residentId":"${peppers.idOf(card)}"}`)
  })

  it('that came in chunks goes out so, as a token', async () => {
    const body = `{"residentId":"${card}"}`
    const chunks = Array.from(body, (byte) => `1\r\n${byte}\r\n`).join('')
    const head = 'POST /v1/tests HTTP/1.1\r\nHost: a\r\nContent-Type: application/json; charset=UTF-8\r\n'
    await ask(`${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunks}0\r\n\r\n`)
    expect(sent()).toContain(`{"residentId":"${peppers.idOf(card)}"}`)
    expect(sent()).not.toContain(digitsOf(card))
  })

  it('leaves no digest of what the body was', async () => {
    const body = `{"residentId":"${card}"}`
    const headers = 'Content-Type: application/json\r\nContent-MD5: abc\r\nContent-Digest: sha-256=:abc=:\r\n'
    await ask(post('/v1/tests', body, headers))
    expect(headerIn(sent(), 'content-md5') ?? headerIn(sent(), 'content-digest')).toBeUndefined()
    expect(bodySent()).toContain(peppers.idOf(card))
  })

  it('of a family is a token for each', async () => {
    await askWith(`{"residentId":"${card}","memberIds":["${cardWithX}","${card}"]}`, '/v1/family-codes')
    const [mine, other] = [peppers.idOf(card), peppers.idOf(cardWithX)]
    expect(bodySent()).toBe(`{"residentId":"${mine}","memberIds":["${other}","${mine}"]}`)
  })

  it.each([
    { name: 'misread', body: `{"residentId":"${misreadCard}"}`, status: 422 },
    { name: 'the second time', body: `{"residentId":"${card}","residentId":"${misreadCard}"}`, status: 422 },
    { name: 'the first time', body: `{"residentId":"${misreadCard}","residentId":"${card}"}`, status: 422 },
    { name: 'as a JSON number', body: `{"residentId":${card}}`, status: 422 },
    { name: 'as a JSON number with an exponent', body: `{"residentId":${card}e0}`, status: 422 },
    { name: 'deep in a list', body: `{"residentId":[[["${misreadCard}"]]]}`, status: 422 },
    { name: 'in another field', body: `{"residentId":"${card}","note":"id ${card}."}`, status: 400 },
    { name: 'in another field, escaped', body: `{"note":"${escaped(card)}"}`, status: 400 },
    { name: 'as another field’s JSON number', body: `{"note":${card}}`, status: 400 },
    { name: 'as a name', body: `{"${card}":1}`, status: 400 },
    { name: 'as a name under its field', body: `{"residentId":{"${card}":"${card}"}}`, status: 400 },
    { name: 'in a body that is no JSON', body: `{"residentId":"${card}"`, status: 400 },
    { name: 'behind the JSON', body: `{"residentId":"${card}"} ${card}`, status: 400 },
    { name: 'in JSON with comments', body: `{"residentId":"${card}"} // ${card}`, status: 400 },
    { name: 'in a form', body: `residentId=${card}`, status: 400 },
  ])('$name is refused and goes nowhere', async ({ body, status }) => {
    const answer = await askWith(body)
    expect(statusOf(answer)).toBe(status)
    expect(answer).not.toContain(digitsOf(card))
    expect(sent()).toBe('')
  })

  const json = `{"residentId":"${card}"}`
  const utf16 = Buffer.from(json, 'utf16le').toString('latin1')

  it.each([
    { name: 'of no type', headers: '', body: json, status: 415 },
    { name: 'as text', headers: 'Content-Type: text/plain\r\n', body: json, status: 415 },
    {
      name: 'of one type said twice',
      headers: 'Content-Type: application/json\r\nContent-Type: application/json\r\n',
      body: json,
      status: 415,
    },
    {
      name: 'of two types',
      headers: 'Content-Type: application/json\r\nContent-Type: text/plain\r\n',
      body: json,
      status: 415,
    },
    {
      name: 'as a form',
      headers: 'Content-Type: multipart/form-data; boundary=a\r\n',
      body: json,
      status: 415,
    },
    {
      name: 'said to be compressed',
      headers: 'Content-Type: application/json\r\nContent-Encoding: gzip\r\n',
      body: json,
      status: 415,
    },
    {
      name: 'in UTF-16',
      headers: 'Content-Type: application/json; charset=utf-16\r\n',
      body: utf16,
      status: 415,
    },
    { name: 'in UTF-16 unsaid', headers: 'Content-Type: application/json\r\n', body: utf16, status: 400 },
    {
      name: 'with broken UTF-8',
      headers: 'Content-Type: application/json\r\n',
      body: `${json.slice(0, -2)}\xff"}`,
      status: 400,
    },
  ])('$name is refused and goes nowhere', async ({ headers, body, status }) => {
    expect(statusOf(await ask(post('/v1/tests', body, headers)))).toBe(status)
    expect(sent()).toBe('')
  })

  it.each(['/v1/tests/', '/V1/TESTS', '/v1/t%65sts', '/v1/tests?x=1'])(
    'is found on %s too',
    async (target) => {
      await askWith(json, target)
      expect(bodySent()).toBe(`{"residentId":"${peppers.idOf(card)}"}`)
    },
  )

  it.each(['/v1//tests', '/v1/./tests', '/v1/x/../tests', '/v1/tests;a=b', '/v1%2ftests'])(
    'is not sent to %s, which a server could clean',
    async (target) => {
      expect(statusOf(await askWith(json, target))).toBe(400)
      expect(sent()).toBe('')
    },
  )

  it('too long to be held is refused, by its length and by its bytes', async () => {
    const long = `{"residentId":"${card}","pad":"${'x'.repeat(20_000)}"}`
    expect(statusOf(await askWith(long))).toBe(413)
    const head = 'POST /v1/tests HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n'
    const chunk = `${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`
    expect(statusOf(await ask(`${head}Transfer-Encoding: chunked\r\n\r\n${chunk}`))).toBe(413)
    expect(sent()).toBe('')
  })

  it('nested as deep as it can be held is read all the same', async () => {
    const deep = `${'['.repeat(3900)}{"residentId":"${card}"}${']'.repeat(3900)}`
    expect(statusOf(await askWith(deep))).toBe(200)
    expect(bodySent()).toContain(peppers.idOf(card))
    expect(bodySent()).not.toContain(digitsOf(card))
  })
})

describe('a number in whatever mixture of spellings', () => {
  // Each character by a way of its own.
  const ways = (spell: readonly ((text: string) => string)[]) =>
    fc
      .array(fc.nat(spell.length - 1), { minLength: 18, maxLength: 18 })
      .map((chosen) => Array.from(card, (char, at) => spell[chosen[at] ?? 0]?.(char) ?? char).join(''))
  const plain = (text: string): string => text
  /** What the most patient reader could make of it. */
  const readings = (text: string): string[] => {
    const found = [text]
    for (let times = 0; times < 3; times += 1) found.push(unescape(found.at(-1) ?? ''))
    return found.flatMap((each) => [each, Buffer.from(each, 'latin1').toString().normalize('NFKC')])
  }
  const unescape = (text: string): string =>
    text
      .replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replaceAll(/\\u([\da-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

  it('in an address is a token or goes nowhere', async () => {
    const spelt = ways([plain, percent, (char) => percent(fullWidth(char)), (char) => percent(percent(char))])
    const place = fc.constantFrom(
      '/v1/codes/',
      '/v1/codes/?residentId=',
      '/x?residentId=',
      '/x?y=',
      '/x/',
      '/?',
    )
    await fc.assert(
      fc.asyncProperty(place, spelt, async (before, number) => {
        const earlier = seen().length
        const status = statusOf(await ask(get(before + number)))
        const went = seen().slice(earlier)
        expect([200, 400, 422]).toContain(status)
        expect(went === '').toBe(status !== 200)
        for (const reading of readings(went)) expect(reading).not.toContain(card)
      }),
      { numRuns: 300 },
    )
  })

  it('in a JSON body is a token or goes nowhere', async () => {
    const spelt = ways([plain, escaped, fullWidth, (char) => escaped(fullWidth(char)), percent])
    const field = fc.constantFrom('residentId', 'note', escaped('residentId'), 'RESIDENTID')
    await fc.assert(
      fc.asyncProperty(field, spelt, async (name, number) => {
        const earlier = seen().length
        const status = statusOf(await askWith(`{"a":[{"${name}":["${number}"]}],"b":"R1"}`))
        const went = seen().slice(earlier)
        expect([200, 400, 422]).toContain(status)
        expect(went === '').toBe(status !== 200)
        for (const reading of readings(went)) expect(reading).not.toContain(card)
      }),
      { numRuns: 300 },
    )
  })
})

it('a body on another path is not looked at', async () => {
  const body = `residentId=${card}`
  await ask(post('/v1/uploads', body, 'Content-Type: text/plain\r\n'))
  expect(sent()).toContain(body)
})

it('numbers of two people are two tokens, and a number has one, however it is written', () => {
  const other = withCheckDigit('61999919880214235')
  expect(peppers.idOf(card)).toMatch(/^t\.[\w-]{22}$/)
  expect(peppers.idOf(other)).not.toBe(peppers.idOf(card))
})
