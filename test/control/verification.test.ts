// A verification finds out about a donor what matters before residents do, harms nobody, and can always be broken off.
import { readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Verifier } from '../../gateway/control/verification/verifier.ts'
import { recordOf, verify } from '../../gateway/control/verification/verify.ts'
import {
  type VerificationSettings,
  verificationSettings,
} from '../../gateway/control/verification/settings.ts'
import type { EnrolmentTerms } from '../../gateway/model/enrolment.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import type { VerificationProgress, VerificationReport } from '../../gateway/model/verification.ts'
import { newEnrolment } from '../../gateway/policy/enrolment.ts'
import { type Authority, authority } from '../support/authority.ts'
import { someTerms, submitter, systemTrust } from '../support/enrolments.ts'
import { eventually } from '../support/eventually.ts'
import { selfSigned } from '../support/self-signed.ts'
import { connectorWith, pinOfPair, tlsNode } from '../support/node-tls.ts'
import { deadPort, httpUpstream, rawUpstream } from '../support/upstream.ts'
import { startTestNode } from '../region-node/running-node.ts'

const open = new AsyncDisposableStack()
let ours: Authority
beforeAll(async () => {
  ours = open.use(await authority())
})
afterAll(() => open.disposeAsync())

/** A whole ramp in under two seconds, where a machine that pauses is no donor that is slow. */
const quick: VerificationSettings = {
  ...verificationSettings,
  totalMs: 1800,
  timeoutMs: 3000,
  growthFloorMs: 5000,
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const signed = (iss = '610600', hom = '610100'): string =>
  `${part({ alg: 'ES256' })}.${part({ iss, hom })}.c2ln`
const aCode = (changes: object = {}): object => ({
  residentToken: 'token',
  code: signed(),
  status: 'green',
  divisionCode: '610100',
  issuer: '610600',
  issuedAt: new Date(Date.now() - 1000).toISOString(),
  validUntil: new Date(Date.now() + 60_000).toISOString(),
  updatedAt: new Date(Date.now() - 5000).toISOString(),
  testTime: null,
  testResult: null,
  freshness: 'replica',
  ...changes,
})
const aCopy = (changes: object = {}): object => ({
  region: '610100',
  lagMs: 20,
  ageMs: 20,
  inContact: true,
  waitingWrites: 0,
  agreement: 'a1',
  ...changes,
})
const ready = (changes: object = {}): object => ({
  status: 'ready',
  node: 'yanan-1',
  region: '610600',
  notReadyFor: [],
  copies: [aCopy()],
  ...changes,
})

type Answer = (request: IncomingMessage, response: ServerResponse) => void
const json =
  (value: () => object): Answer =>
  (_, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(value()))

interface Behaviour {
  readonly ready?: Answer
  readonly load?: Answer
  readonly code?: Answer
}

/** A node as agreed, but for what is said. */
function donor({ ready: isReady, load, code }: Behaviour = {}): RequestListener {
  return (request, response) => {
    if (request.method !== 'GET') response.writeHead(405).end()
    else if (request.url?.startsWith('/readyz') === true) (isReady ?? json(() => ready()))(request, response)
    else if (request.url === '/load')
      (load ?? json(() => ({ inFlight: 1, limit: 100, draining: false })))(request, response)
    else (code ?? json(() => aCode()))(request, response)
  }
}

const connector = connectorWith()

async function verified(
  url: string,
  changes: Partial<EnrolmentTerms> = {},
  options: {
    settings?: VerificationSettings
    signal?: AbortSignal
    progress?: (event: VerificationProgress) => void
  } = {},
): Promise<VerificationReport> {
  const nodes = [{ id: nodeId('yanan-1'), url, weight: 1, limit: null }]
  const limit = { rps: 200, concurrent: null }
  const terms = someTerms({ nodes, limit, ...changes })
  return verify(newEnrolment(terms, submitter, Date.now(), 'e1'), {
    connector,
    signal: options.signal ?? new AbortController().signal,
    progress: options.progress ?? (() => {}),
    settings: options.settings ?? quick,
  })
}

/** The first that was not spoilt by this machine's having no time to send. */
async function inTime(run: () => Promise<VerificationReport>): Promise<VerificationReport> {
  for (let i = 0; ; i++) {
    const report = await run()
    if (i === 5 || !saidBy(report, 'ramp').startsWith('the gateway itself')) return report
  }
}

const outcomes = ({ checks }: VerificationReport): Record<string, string> =>
  Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome]))
const saidBy = (report: VerificationReport, name: string): string =>
  report.checks.find((check) => check.name === name)?.detail.en ?? ''

describe('a donor that is as agreed', () => {
  it('passes every check, over TLS with our certificate, and tells its progress', async () => {
    const issued = await ours.issue('IP:127.0.0.1')
    const own = await ours.issue('DNS:gateway.example')
    await using folder = await selfSigned()
    const { certFile, keyFile } = folder
    await writeFile(certFile, own.cert)
    await writeFile(keyFile, own.key)
    const demands = { ca: await readFile(ours.certFile), requestCert: true, rejectUnauthorized: true }
    await using node = await tlsNode({ ...issued, ...demands }, donor())
    const events: VerificationProgress[] = []
    const tls = { ...systemTrust, pins: [pinOfPair(issued)], clientCertificate: 'gateway' }
    const terms = someTerms({
      nodes: [{ id: nodeId('yanan-1'), url: node.url, weight: 1, limit: null }],
      limit: { rps: 200, concurrent: null },
      tls,
    })
    const report = await inTime(() => {
      events.length = 0
      return verify(newEnrolment(terms, submitter, 1, 'e1'), {
        connector: connectorWith({ gateway: { certFile, keyFile } }),
        signal: new AbortController().signal,
        progress: (event) => events.push(event),
        settings: quick,
      })
    })
    expect([report.reasons, report.verdict]).toEqual([[], 'passed'])
    expect(outcomes(report)).toEqual({
      connect: 'passed',
      tls: 'passed',
      clock: 'passed',
      ready: 'passed',
      data: 'passed',
      code: 'passed',
      ramp: 'passed',
    })
    expect(events.filter(({ kind }) => kind === 'began')).toHaveLength(7)
    const steps = events.filter((event) => event.kind === 'ramp')
    expect(steps.map(({ rps }) => rps)).toEqual([10, 20, 50, 100, 150, 200])
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
    expect(recordOf(report)).toMatchObject({ passed: true, termsHash: report.termsHash })
    // No resident of the tests is named in what is kept.
    expect(JSON.stringify(report)).not.toContain('R610100')
    await eventually(() => expect(node.open.size).toBe(0))
  })

  it('is never sent more than it pledged, nor anything but reads', async () => {
    const arrivals: number[] = []
    const methods = new Set<string>()
    await using node = await httpUpstream((request, response) => {
      methods.add(request.method ?? '')
      if (request.url?.startsWith('/v1/codes') === true) arrivals.push(performance.now())
      donor()(request, response)
    })
    const report = await verified(
      node.url,
      { limit: { rps: 100, concurrent: 20 } },
      { settings: { ...quick, totalMs: 6000 } },
    )
    let most = 0
    for (const [i, at] of arrivals.entries()) {
      most = Math.max(most, i + 1 - arrivals.findIndex((other) => other > at - 1000))
    }
    expect(most).toBeLessThanOrEqual(130)
    expect(report.checks.at(-1)?.measured['requests']).toBeGreaterThan(most)
    expect([...methods]).toEqual(['GET'])
  })

  it('may pledge more than is measured, which is told', async () => {
    await using node = await httpUpstream(donor())
    const settings = { ...quick, mostRps: 50 }
    const limit = { rps: 90_000, concurrent: null }
    const report = await inTime(() => verified(node.url, { limit }, { settings }))
    expect(report.verdict).toBe('passed')
    expect(saidBy(report, 'ramp')).toBe(
      'measured up to 50 a second; the rest of the 90000 pledged is not proved',
    )
  })

  it('passes where it is a region node of ours that holds the home', async () => {
    await using node = await startTestNode({ regionCode: '610400', holds: ['610100'] })
    const report = await inTime(() =>
      verified(`http://127.0.0.1:${node.port}`, {
        donor: { code: regionId('610400'), name: { zh: '咸阳', en: 'Xianyang' }, tier: 'city' },
        limit: { rps: 50, concurrent: null },
      }),
    )
    expect(report.reasons.map(({ en }) => en)).toEqual([
      'tls of yanan-1: plain HTTP: nobody proves who answers',
      'data of yanan-1: it tells nothing of a copy of 610100; judged by the codes that it shows',
    ])
    expect(report.verdict).toBe('passed')
  })
})

describe('a node that can’t be used', () => {
  it.concurrent.each<[string, () => Promise<AsyncDisposable & { url: string }>, string, RegExp]>([
    [
      'is dead',
      async () => ({ url: `http://127.0.0.1:${await deadPort()}`, [Symbol.asyncDispose]: async () => {} }),
      'connect',
      /ECONNREFUSED/,
    ],
    [
      'has no address',
      async () => ({ url: 'http://no-such-host.invalid:9601', [Symbol.asyncDispose]: async () => {} }),
      'connect',
      /does not resolve/,
    ],
    ['is frozen', () => rawUpstream((socket) => socket.resume()), 'clock', /no answer within 500 ms/],
    [
      'is frozen in the handshake',
      async () => {
        const raw = await rawUpstream((socket) => socket.resume())
        return { url: raw.url.replace('http:', 'https:'), [Symbol.asyncDispose]: () => raw.close() }
      },
      'tls',
      /does not take a connection in time/,
    ],
    [
      'has a certificate of nobody that we trust',
      async () => tlsNode(await ours.issue('IP:127.0.0.1'), donor()),
      'tls',
      /not signed by a trusted authority/,
    ],
    [
      'speaks no HTTP',
      () => rawUpstream((socket) => socket.end('SSH-2.0-x\r\n')),
      'clock',
      /the request failed/,
    ],
    [
      'trickles',
      () =>
        httpUpstream((_, response) => {
          response.write('{')
          const timer = setInterval(() => response.write(' '), 50)
          response.once('close', () => clearInterval(timer))
        }),
      'clock',
      /no answer within 500 ms/,
    ],
  ])('%s: says so, and never loads it', async (_, start, name, says) => {
    await using node = await start()
    const report = await verified(node.url, {}, { settings: { ...quick, timeoutMs: 500 } })
    expect(saidBy(report, name)).toMatch(says)
    expect([report.verdict, outcomes(report)['ramp']]).toEqual(['failed', 'skipped'])
    expect(recordOf(report)?.passed).toBe(false)
  })

  it('has a certificate that is about to end', async () => {
    const issued = await ours.issue('IP:127.0.0.1', 1)
    await using node = await tlsNode(issued, donor())
    const settings = { ...quick, leastCertificateMs: 3 * 86_400_000 }
    const report = await verified(
      node.url,
      { tls: { ...systemTrust, pins: [pinOfPair(issued)] } },
      { settings },
    )
    expect(saidBy(report, 'tls')).toBe('its certificate ends in 0 day(s); renew it first')
  })
})

describe('a node that is not as agreed', () => {
  const dated =
    (offsetMs: number): Answer =>
    (request, response) => {
      response.setHeader('date', new Date(Date.now() + offsetMs).toUTCString())
      json(() => ready())(request, response)
    }
  const cases: readonly [string, Behaviour, string, string][] = [
    ['a clock that is ahead', { ready: dated(60_000) }, 'clock', 's off ours'],
    ['a clock that is behind', { ready: dated(-8000) }, 'clock', 's off ours'],
    [
      'no clock',
      {
        ready: (_, response) => {
          response.sendDate = false
          response.end(JSON.stringify(ready()))
        },
      },
      'clock',
      'no Date',
    ],
    ['not ready', { ready: (_, response) => response.writeHead(503).end('{}') }, 'ready', 'it answered 503'],
    [
      'not ready for the home',
      { ready: json(() => ready({ notReadyFor: [{ region: '610100', check: 'data', detail: 'old' }] })) },
      'ready',
      'not ready for 610100',
    ],
    [
      'not ready when asked for the home',
      {
        ready: (request, response) =>
          request.url === '/readyz' ? json(() => ready())(request, response) : response.writeHead(503).end(),
      },
      'ready',
      '/readyz?home=610100 answered 503',
    ],
    [
      'a node of another region',
      { ready: json(() => ready({ region: '610700' })) },
      'ready',
      'a node of 610700',
    ],
    [
      'a copy that is behind',
      { ready: json(() => ready({ copies: [aCopy({ lagMs: 2001 })] })) },
      'data',
      '2001 ms behind, agreed are 2000',
    ],
    [
      'a copy out of contact and old',
      { ready: json(() => ready({ copies: [aCopy({ inContact: false, ageMs: 9000 })] })) },
      'data',
      '9000 ms behind',
    ],
    [
      'a copy that is not whole',
      { ready: json(() => ready({ copies: [aCopy({ lagMs: 0, ageMs: null, inContact: false })] })) },
      'data',
      'not whole yet',
    ],
    [
      'another region’s resident',
      { code: json(() => aCode({ divisionCode: '610700' })) },
      'code',
      'another region’s resident’s',
    ],
    [
      'another region’s resident in the signed part alone',
      { code: json(() => aCode({ code: signed('610600', '610700') })) },
      'code',
      'another region’s resident’s',
    ],
    [
      'a code that another issued',
      { code: json(() => aCode({ code: signed('610700') })) },
      'code',
      'the donor did not issue it',
    ],
    [
      'a code that has ended',
      { code: json(() => aCode({ validUntil: new Date(Date.now() - 500).toISOString() })) },
      'code',
      'had ended',
    ],
    ['a stale code', { code: json(() => aCode({ freshness: 'stale' })) }, 'code', 'stale'],
    [
      'a colour that nobody knows',
      { code: json(() => aCode({ status: 'blue' })) },
      'code',
      'not as agreed: status',
    ],
    ['an unsigned code', { code: json(() => aCode({ code: 'a.b.c' })) }, 'code', 'not a signed code'],
    [
      'no such resident',
      { code: (_, response) => response.writeHead(404).end('{}') },
      'code',
      'does not know the test resident',
    ],
    ['garbage', { code: (_, response) => response.end('<html>') }, 'code', 'no JSON'],
    ['JSON that is something else', { code: json(() => ({ ok: true })) }, 'code', 'not as agreed: code'],
    [
      'a redirect',
      { code: (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end() },
      'code',
      'a redirect is not followed',
    ],
    [
      'ten megabytes',
      { code: (_, response) => response.end(Buffer.alloc(10_000_000, 32)) },
      'code',
      'longer than 65536 bytes',
    ],
    [
      'ten megabytes of readiness',
      { ready: (_, response) => response.end(Buffer.alloc(10_000_000, 32)) },
      'clock',
      'longer than 65536 bytes',
    ],
  ]
  it.each(cases)('%s: is found', async (_, behaviour, name, says) => {
    await using node = await httpUpstream(donor(behaviour))
    const report = await verified(node.url)
    expect(saidBy(report, name)).toContain(says)
    expect(report.verdict).toBe('failed')
    expect(report.reasons.map(({ en }) => en).join('\n')).toContain(says)
    expect(outcomes(report)['ramp']).toBe('skipped')
  })

  it('fields that were not agreed: are found', async () => {
    await using node = await httpUpstream(donor({ code: json(() => aCode({ testResult: 'negative' })) }))
    const report = await verified(node.url, { data: { fields: ['testTime'], rpoSeconds: 2 } })
    expect(saidBy(report, 'code')).toContain('it shows testResult, which was not agreed')
  })
})

describe('the ramp stops at the first sign of harm:', () => {
  const pledge = 200
  /** Sees its own rate over the last tenth of a second. */
  function rateSeen(): () => number {
    let arrivals: number[] = []
    return () => {
      const now = performance.now()
      arrivals = [...arrivals.filter((at) => at > now - 200), now]
      return arrivals.length * 5
    }
  }
  const degrading = (hurt: Answer): Answer => {
    const rate = rateSeen()
    return (request, response) => {
      if (rate() > pledge * 0.4) hurt(request, response)
      else json(() => aCode())(request, response)
    }
  }
  const late = (request: IncomingMessage, response: ServerResponse): void => {
    void pause(200).then(() => json(() => aCode())(request, response))
  }
  const degradingSlowly = degrading(late)
  const silent = degrading(() => {})
  it.each<[string, Answer, RegExp]>([
    ['it gets slow at half the pledge', degradingSlowly, /its p99 rose from \d+ ms to \d+ ms/],
    ['it answers 429', degrading((_, response) => response.writeHead(429).end()), /answers 429 or 503/],
    ['it answers 503', degrading((_, response) => response.writeHead(503).end()), /answers 429 or 503/],
    ['it breaks off', degrading((_, response) => response.destroy()), /more than 1 % are errors/],
    ['it is silent', silent, /errors/],
  ])('%s', async (_, code, says) => {
    let requests = 0
    await using node = await httpUpstream(
      donor({
        code: (request, response) => {
          requests += 1
          code(request, response)
        },
      }),
    )
    const settings = {
      ...quick,
      totalMs: 4000,
      growthFloorMs: code === degradingSlowly ? 50 : 5000,
      // What is silent is an error only then.
      timeoutMs: code === silent ? 1000 : quick.timeoutMs,
    }
    const report = await verified(node.url, { limit: { rps: pledge, concurrent: null } }, { settings })
    expect(saidBy(report, 'ramp')).toMatch(says)
    expect(report.checks.at(-1)?.measured['reachedRps']).toBeLessThan(pledge)
    expect(report.verdict).toBe('failed')
    // A whole ramp would have sent 350; what follows the first sign is at most what was under way.
    expect(requests).toBeLessThan(300)
  })

  it('its own word says that it is near its limit', async () => {
    await using node = await httpUpstream(
      donor({ load: json(() => ({ inFlight: 95, limit: 100, draining: false })) }),
    )
    const report = await verified(node.url)
    expect(saidBy(report, 'ramp')).toContain('near its limit')
    expect(node.requests).toBeLessThan(20)
  })

  it('its places are too few', async () => {
    await using node = await httpUpstream(donor({ code: late }))
    const report = await verified(node.url, { limit: { rps: 200, concurrent: 3 } })
    expect(saidBy(report, 'ramp')).toContain('places that it pledged are too few')
  })
})

it.each([
  ['in the ramp', donor()],
  ['while a node is silent', donor({ code: () => {} })],
])('is broken off at once %s, and then decides nothing', async (_, listener) => {
  await using node = await httpUpstream(listener)
  const leave = new AbortController()
  const events: VerificationProgress[] = []
  const settings = { ...quick, totalMs: 60_000, timeoutMs: 30_000 }
  const asked = verified(
    node.url,
    {},
    { settings, signal: leave.signal, progress: (event) => void events.push(event) },
  )
  await eventually(() =>
    expect(events.some((event) => event.kind === 'began' && /ramp|code/.test(event.name))).toBe(true),
  )
  await pause(100)
  const leftAt = performance.now()
  leave.abort()
  const report = await asked
  expect(performance.now() - leftAt).toBeLessThan(1000)
  expect([report.verdict, recordOf(report)]).toEqual(['aborted', null])
  expect(report.checks.every(({ outcome }) => outcome !== 'failed')).toBe(true)
  await eventually(() => expect(node.connections).toBe(0))
})

it('runs one verification at a time, by the configured bounds, and breaks it off when the gateway ends', async () => {
  const seen: string[] = []
  await using node = await httpUpstream((request, response) => {
    seen.push(request.url ?? '')
    if (request.url?.startsWith('/v1/') !== true) donor()(request, response)
  })
  const enrolment = {
    rampMs: 0,
    drainMs: 0,
    verificationMaxAgeMs: 60_000,
    testResident: 'T-{home}',
    verificationRampMs: 1000,
    verificationRps: 10,
    networks: [],
  }
  const verifier = new Verifier(connector, () => ({ enrolment }))
  const nodes = [{ id: nodeId('yanan-1'), url: node.url, weight: 1, limit: null }]
  const one = newEnrolment(someTerms({ nodes }), submitter, Date.now(), 'e1')
  const quiet = { signal: new AbortController().signal, progress: () => {} }
  const running = verifier.verify(one, quiet)
  await eventually(() => expect(seen).toContain('/v1/codes/T-610100'))
  await expect(verifier.verify({ ...one, id: 'e2' }, quiet)).rejects.toThrow(/of enrolment e1 is under way/)
  await verifier[Symbol.asyncDispose]()
  expect((await running).verdict).toBe('aborted')
})
