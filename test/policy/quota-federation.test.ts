// Gateways that share a donor's pledge by one ledger: together never more than the pledge, whoever is cut off, dies or lags.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Pledge } from '../../gateway/policy/pledges.ts'
import { QuotaMember } from '../../gateway/policy/quota-federation.ts'
import { outwaits, type LeaseTerms, type QuotaLedger } from '../../gateway/policy/quota-ledger.ts'

const terms: LeaseTerms = { leaseMs: 60_000, forgetMs: 600_000, roundMs: 2000 }
const name = '610400 rps'
const rate: Pledge = { amount: 100, whole: false }

/** The ledger as a registry keeps it: replaced by whoever has seen the last version. */
class Shelf {
  ledger: QuotaLedger | null = null
  version = 0

  put(next: QuotaLedger, seen: number): boolean {
    if (seen !== this.version) return false
    this.ledger = next
    this.version += 1
    return true
  }
}

interface Fate {
  /** How much faster its clock runs than true time. */
  readonly drift: number
  /** How late its data plane takes over a smaller share, ms. */
  readonly lagMs: number
}

/** A gateway with a clock of its own and a data plane that lags. */
class Gateway {
  cutOff = false
  demand = 0
  /** What it really takes at the donor. */
  taking = 0
  private member: QuotaMember
  private readonly id: string
  private readonly shelf: Shelf
  private readonly fate: Fate
  private lives = 0
  private reported = 0
  private shrinkAt: number | null = null
  private late: { readonly next: QuotaLedger; readonly seen: number } | null = null
  isDead = false

  constructor(id: string, shelf: Shelf, fate: Fate) {
    this.id = id
    this.shelf = shelf
    this.fate = fate
    this.member = this.born()
  }

  private born(): QuotaMember {
    this.lives += 1
    return new QuotaMember(this.id, `${this.id}.${this.lives}`, terms)
  }

  /** @param trueMs Time that nobody knows. */
  private clock(trueMs: number): number {
    return 1e6 * this.lives + trueMs * (1 + this.fate.drift)
  }

  share(pledge: Pledge, trueMs: number): number {
    return this.isDead ? 0 : this.member.share(name, pledge, this.clock(trueMs))
  }

  hears(pledge: Pledge): void {
    this.member.pledged({ [name]: pledge })
  }

  /** One look at the ledger. @param answer What becomes of the answer to its write. */
  round(pledge: Pledge, trueMs: number, answer: 'arrives' | 'lost' | 'late' = 'arrives'): void {
    if (this.cutOff || this.isDead) return
    const now = this.clock(trueMs)
    const seen = this.shelf.version
    const next = this.member.plan(this.shelf.ledger, {
      pledges: { [name]: pledge },
      demands: { [name]: this.demand },
      inUse: { [name]: Math.max(this.reported, this.taking) },
      now,
    })
    if (next === null) return
    if (answer === 'late') {
      this.late = { next, seen }
      return
    }
    if (this.shelf.put(next, seen) && answer === 'arrives') this.member.written(next, now)
  }

  /** A write that hung on the way reaches the registry; nobody is there any more to hear of it. */
  deliver(): void {
    if (this.late !== null) this.shelf.put(this.late.next, this.late.seen)
    this.late = null
  }

  /** The data plane follows. */
  tick(pledge: Pledge, trueMs: number): void {
    const share = this.share(pledge, trueMs)
    if (share >= this.taking) this.shrinkAt = null
    else this.shrinkAt ??= trueMs + this.fate.lagMs
    if (share >= this.taking || trueMs >= (this.shrinkAt ?? 0)) {
      this.taking = share
      this.shrinkAt = null
    }
    this.reported = this.taking
  }

  kill(): void {
    this.isDead = true
    this.taking = 0
    this.reported = 0
  }

  start(): void {
    if (!this.isDead) return
    this.isDead = false
    this.shrinkAt = null
    this.member = this.born()
  }

  leave(): void {
    if (this.cutOff || this.isDead) return
    const seen = this.shelf.version
    const next = this.member.leave(this.shelf.ledger)
    if (next !== null) this.shelf.put(next, seen)
    this.kill()
  }
}

const crew = (count: number, shelf = new Shelf(), fates: readonly Fate[] = []): Gateway[] =>
  Array.from({ length: count }, (_, i) => new Gateway(`g${i}`, shelf, fates[i] ?? { drift: 0, lagMs: 0 }))

/** Lets all gateways look in turn for a while. @returns True time at the end. */
function live(gateways: readonly Gateway[], pledge: Pledge, fromMs: number, forMs: number): number {
  for (let at = fromMs; at < fromMs + forMs; at += 500) {
    for (const [i, gateway] of gateways.entries()) {
      if (at % 2000 === (i % 4) * 500) gateway.round(pledge, at)
      gateway.tick(pledge, at)
    }
    expect(total(gateways)).toBeLessThanOrEqual(pledge.amount + 1e-6)
  }
  return fromMs + forMs
}

const total = (gateways: readonly Gateway[]): number => gateways.reduce((sum, { taking }) => sum + taking, 0)
const takings = (gateways: readonly Gateway[]): number[] => gateways.map(({ taking }) => Math.round(taking))

describe('gateways on one ledger', () => {
  it('one alone has the whole pledge by one write, and renews it thrice a lease', () => {
    const shelf = new Shelf()
    const [lone] = crew(1, shelf)
    if (lone === undefined) throw new Error('one was made')
    lone.round(rate, 0)
    expect([lone.share(rate, 0), shelf.version]).toEqual([100, 1])
    live([lone], rate, 0, 60_000)
    expect(shelf.version).toBeLessThanOrEqual(4)
  })

  it('a newcomer gets its part within seconds, once the others have given it up', () => {
    const gateways = crew(2)
    const [first, second] = gateways
    if (first === undefined || second === undefined) throw new Error('two were made')
    first.demand = 10
    const at = live([first], rate, 0, 10_000)
    second.demand = 10
    second.round(rate, at)
    expect(second.share(rate, at)).toBe(0)
    live(gateways, rate, at, 8000)
    expect(takings(gateways)).toEqual([50, 50])
  })

  it('who has nearly all the demand gets nearly all, and it moves when the demand does', () => {
    const gateways = crew(3)
    const wants = (demands: readonly number[]): void => {
      for (const [i, gateway] of gateways.entries()) gateway.demand = demands[i] ?? 0
    }
    wants([300, 0, 0])
    const at = live(gateways, rate, 0, 20_000)
    expect(takings(gateways)).toEqual([83, 8, 8])
    wants([0, 0, 300])
    live(gateways, rate, at, 12_000)
    expect(takings(gateways)).toEqual([8, 8, 83])
  })

  it('who is cut off keeps its last share for its lease, then its floor, and others wait that long', () => {
    const gateways = crew(3)
    const [first, second] = gateways
    if (first === undefined || second === undefined) throw new Error('three were made')
    first.demand = 300
    let at = live(gateways, rate, 0, 20_000)
    first.cutOff = true
    second.demand = 300
    at = live(gateways, rate, at, terms.leaseMs - 10_000)
    // The others divide what is left, and no more.
    expect(takings(gateways)).toEqual([83, 15, 2])
    at = live(gateways, rate, at, outwaits(terms.leaseMs) - terms.leaseMs + 20_000)
    expect(first.taking).toBeCloseTo(100 / 12, 1)
    expect(second.taking).toBeGreaterThan(75)
    at = live(gateways, rate, at, outwaits(terms.forgetMs))
    expect(first.taking).toBe(0)
    expect(second.taking).toBeGreaterThan(80)
    first.cutOff = false
    live(gateways, rate, at, 20_000)
    // Both want all there is.
    expect(first.taking).toBeGreaterThan(35)
    expect(second.taking).toBeGreaterThan(35)
  })

  it('who stops leaves its part to the others at once, who is killed and started again has its own back', () => {
    const gateways = crew(2)
    const [first, second] = gateways
    if (first === undefined || second === undefined) throw new Error('two were made')
    for (const gateway of gateways) gateway.demand = 300
    let at = live(gateways, rate, 0, 20_000)
    first.kill()
    first.start()
    at = live(gateways, rate, at, 4000)
    expect(first.taking).toBeGreaterThanOrEqual(45)
    first.leave()
    live(gateways, rate, at, 4000)
    expect(takings(gateways)).toEqual([0, 100])
  })

  it('small changes of demand move nothing', () => {
    const shelf = new Shelf()
    const gateways = crew(2, shelf)
    for (const gateway of gateways) gateway.demand = 100
    let at = live(gateways, rate, 0, 20_000)
    const before = takings(gateways)
    for (const demand of [98, 102, 99, 101]) {
      for (const [i, gateway] of gateways.entries()) gateway.demand = i === 0 ? demand : 200 - demand
      at = live(gateways, rate, at, 4000)
      expect(takings(gateways)).toEqual(before)
    }
  })

  it('follow a pledge that is cut, and one that is raised', () => {
    const gateways = crew(3)
    for (const gateway of gateways) gateway.demand = 300
    const at = live(gateways, rate, 0, 20_000)
    const half = { amount: 50, whole: false }
    live(gateways, half, at, 10_000)
    expect(total(gateways)).toBeGreaterThan(49)
    live(gateways, { amount: 200, whole: false }, at + 10_000, 10_000)
    expect(total(gateways)).toBeGreaterThan(199)
  })

  it('cut their parts by what others may have taken of a pledge that was raised before it was cut', () => {
    const gateways = crew(2)
    const [first, second] = gateways
    if (first === undefined || second === undefined) throw new Error('two were made')
    const at = live([first], rate, 0, 4000)
    const raised = { amount: 150, whole: false }
    first.hears(raised)
    second.demand = 300
    second.round(raised, at)
    expect([first.share(raised, at), second.share(raised, at)]).toEqual([100, 50])
    const cut = { amount: 30, whole: false }
    first.hears(cut)
    expect(first.share(cut, at) + second.share(cut, at)).toBeCloseTo(30, 6)
  })

  it('places that can’t be cut are whole, be there fewer than gateways that want one', () => {
    const gateways = crew(3)
    const places: Pledge = { amount: 2, whole: true }
    for (const gateway of gateways) gateway.demand = 1
    let at = 0
    const had = new Set<number>()
    for (let i = 0; i < 60; i++) {
      at = live(gateways, places, at, 4000)
      for (const [j, { taking }] of gateways.entries()) if (taking > 0) had.add(j)
      expect(gateways.every(({ taking }) => Number.isInteger(taking))).toBe(true)
    }
    expect(had.size).toBe(3)
  })

  it('a ledger that goes back in time gives nobody more until all leases of before have ended', () => {
    const shelf = new Shelf()
    const gateways = crew(3, shelf)
    const [first, second] = gateways
    if (first === undefined || second === undefined) throw new Error('three were made')
    second.demand = 300
    let at = live(gateways, rate, 0, 20_000)
    const old = shelf.ledger
    second.demand = 0
    first.demand = 300
    at = live(gateways, rate, at, 20_000)
    expect(takings(gateways)).toEqual([83, 8, 8])
    // It holds 83 of 100 and can't see that the ledger says 8 again.
    first.cutOff = true
    shelf.ledger = old
    shelf.version += 1
    second.demand = 300
    at = live(gateways, rate, at, terms.leaseMs)
    live(gateways, rate, at, outwaits(terms.leaseMs))
    expect(first.taking).toBeCloseTo(100 / 12, 1)
    expect(second.taking).toBeGreaterThan(75)
  })

  it('another of the same name is noticed', () => {
    const shelf = new Shelf()
    const one = new QuotaMember('same', 'a', terms)
    const two = new QuotaMember('same', 'b', terms)
    const moment = { pledges: { [name]: rate }, demands: {}, inUse: {}, now: 0 }
    const write = (member: QuotaMember): void => {
      const next = member.plan(shelf.ledger, moment)
      if (next !== null && shelf.put(next, shelf.version)) member.written(next, 0)
    }
    write(one)
    write(two)
    write(one)
    expect([one.isDoubled, one.share(name, rate, 0)]).toEqual([true, 0])
    expect([two.isDoubled, two.share(name, rate, 0)]).toEqual([false, 100])
  })
})

const which = fc.nat(3)
const weighed = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary })
const pass = fc.constant('pass' as const)
const answers = ['arrives', 'arrives', 'lost', 'late'] as const
const befalls = ['cut', 'heal', 'kill', 'start', 'leave', 'deliver'] as const
const event = fc.oneof(
  weighed(8, fc.record({ kind: pass, ms: fc.integer({ min: 500, max: 9000 }) })),
  // About as long as a lease.
  weighed(1, fc.record({ kind: pass, ms: fc.integer({ min: 50_000, max: 90_000 }) })),
  weighed(10, fc.record({ kind: fc.constant('round' as const), which, answer: fc.constantFrom(...answers) })),
  weighed(
    6,
    fc.record({
      kind: fc.constant('want' as const),
      which,
      demand: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 400 })),
    }),
  ),
  weighed(1, fc.record({ kind: fc.constant('pledge' as const), part: fc.constantFrom(0.5, 0.75, 1, 1.5) })),
  weighed(4, fc.record({ kind: fc.constantFrom(...befalls), which })),
)

// Clocks run up to 2 % fast or slow: two of them differ by less than others wait for.
type Happening = typeof event extends fc.Arbitrary<infer T> ? T : never
const fate = fc.record({ drift: fc.double({ min: -0.02, max: 0.02, noNaN: true }), lagMs: fc.nat(1000) })

/** Four gateways, what their donor pledges, and who has heard of it: who is cut off goes by what it heard last. */
class Federation {
  readonly gateways: readonly Gateway[]
  private readonly areBusy: boolean
  private pledge: Pledge
  private readonly views: Pledge[]
  /** Pledges that somebody went by lately. */
  private lately: { readonly amount: number; readonly at: number }[] = []
  private at = 0

  constructor(pledge: Pledge, fates: readonly Fate[], areBusy: boolean) {
    this.pledge = pledge
    this.gateways = crew(4, new Shelf(), fates)
    this.views = this.gateways.map(() => pledge)
    this.areBusy = areBusy
  }

  usePledge(pledge: Pledge): void {
    this.pledge = pledge
  }

  round(i: number, answer: 'arrives' | 'lost' | 'late' = 'arrives'): void {
    this.gateways[i]?.round(this.views[i] ?? this.pledge, this.at, answer)
  }

  pass(ms: number): void {
    for (const end = this.at + ms; this.at < end;) {
      this.at += 250
      for (const i of this.gateways.keys()) if (this.areBusy && this.at % 2000 === i * 500) this.round(i)
      this.check()
    }
  }

  /** Lets all data planes follow, and adds up. */
  check(): void {
    for (const [i, gateway] of this.gateways.entries()) {
      if (!gateway.cutOff) this.views[i] = this.pledge
      gateway.hears(this.views[i] ?? this.pledge)
      const view = this.views[i] ?? this.pledge
      gateway.tick(view, this.at)
      this.lately.push({ amount: view.amount, at: this.at })
    }
    // A pledge that is cut is followed within two rounds, and a second that a data plane is late.
    this.lately = this.lately.filter(({ at }) => this.at - at <= 2 * terms.roundMs + 1500)
    const most = Math.max(...this.lately.map(({ amount }) => amount))
    expect(total(this.gateways)).toBeLessThanOrEqual(most + 1e-6)
  }
}

function befall(
  federation: Federation,
  happening: Exclude<Happening, { readonly kind: 'pass' | 'pledge' }>,
): void {
  const gateway = federation.gateways[happening.which]
  if (gateway === undefined) return
  if (happening.kind === 'round') federation.round(happening.which, happening.answer)
  else if (happening.kind === 'want') gateway.demand = happening.demand
  else if (happening.kind === 'cut') gateway.cutOff = true
  else if (happening.kind === 'heal') gateway.cutOff = false
  else if (happening.kind === 'kill') gateway.kill()
  else if (happening.kind === 'start') gateway.start()
  else if (happening.kind === 'leave') gateway.leave()
  else gateway.deliver()
}

it.each([
  { what: 'requests a second', pledge: rate, isChanged: false },
  { what: 'places', pledge: { amount: 5, whole: true }, isChanged: false },
  { what: 'requests of a changing pledge', pledge: rate, isChanged: true },
  { what: 'places of a changing pledge', pledge: { amount: 8, whole: true }, isChanged: true },
])('four gateways together never take more $what than there are', ({ pledge, isChanged }) => {
  fc.assert(
    fc.property(
      fc.array(fate, { minLength: 4, maxLength: 4 }),
      fc.array(event, { minLength: 20, maxLength: 120 }),
      fc.boolean(),
      (fates, events, areBusy) => {
        const federation = new Federation(pledge, fates, areBusy || isChanged)
        for (const happening of events) {
          if (happening.kind === 'pass') federation.pass(happening.ms)
          else if (happening.kind === 'pledge') {
            if (isChanged) federation.usePledge({ ...pledge, amount: pledge.amount * happening.part })
          } else befall(federation, happening)
          federation.check()
        }
      },
    ),
    { numRuns: isChanged ? 50 : 150 },
  )
})
