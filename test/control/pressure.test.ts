// The loop that measures the process, on a clock turned by hand; the real measures of event loop and memory.
import { describe, expect, it } from '@jest/globals'
import { LoopDelay } from '../../gateway/control/loop-delay.ts'
import { Pressure, processCpuMs } from '../../gateway/control/pressure.ts'
import { memoryShareOf, type MemorySource } from '../../gateway/control/process-memory.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { protecting } from '../support/values.ts'

/** A process whose measures a test sets. */
function setUp() {
  const clock = new FakeClock()
  const process = { delayMs: 0, memory: 0.2, connections: 0.1, cpuMs: 0 }
  const changes: string[] = []
  const loopDelay = {
    p99Ms: () => process.delayMs,
    forget: () => {
      process.delayMs = 0
    },
  }
  const pressure = new Pressure(
    {
      clock,
      loopDelay,
      memoryShare: () => process.memory,
      connectionShare: () => process.connections,
      cpuMs: () => process.cpuMs,
      read: () => {},
      changed: (level, reason) => changes.push(`${level} ${reason}`),
    },
    protecting,
  )
  return { clock, process, changes, pressure }
}

describe('the loop', () => {
  it('reads four times a second, rises at the next reading and falls in calm', async () => {
    const { clock, process, changes, pressure } = setUp()
    expect(clock.waiting).toEqual([250])
    process.delayMs = 450
    await clock.advance(249)
    expect(pressure.level).toBe(0)
    await clock.advance(1)
    expect(pressure.level).toBe(2)
    expect(pressure.readings).toEqual({ eventLoopDelayMs: 450, memoryShare: 0.2, connectionShare: 0.1 })
    process.delayMs = 3
    await clock.advance(5000)
    expect(pressure.level).toBe(2)
    await clock.advance(250)
    expect(pressure.level).toBe(1)
    await clock.advance(5000)
    expect(pressure.level).toBe(0)
    expect(changes).toEqual(['2 event-loop', '1 calm', '0 calm'])
    pressure[Symbol.dispose]()
    expect(clock.waiting).toEqual([])
  })

  it.each([
    ['memory', { memory: 0.95 }],
    ['connections', { connections: 1 }],
  ])('says that it was %s', async (reason, measures) => {
    const { clock, process, changes, pressure } = setUp()
    Object.assign(process, measures)
    await clock.advance(250)
    expect(changes).toEqual([`3 ${reason}`])
    pressure[Symbol.dispose]()
  })

  it('takes new settings with the next reading', async () => {
    const { clock, process, pressure } = setUp()
    process.delayMs = 60
    await clock.advance(250)
    expect(pressure.level).toBe(0)
    pressure.use({ ...protecting, eventLoopDelayMs: { eased: 50, shedding: 70, closed: 90 } })
    await clock.advance(250)
    expect(pressure.level).toBe(1)
    pressure[Symbol.dispose]()
  })

  it('may be disposed of by its own listener', async () => {
    const clock = new FakeClock()
    const pressure: Pressure = new Pressure(
      {
        clock,
        loopDelay: { p99Ms: () => 9000, forget: () => {} },
        memoryShare: () => 0,
        connectionShare: () => 0,
        cpuMs: () => 0,
        read: () => {},
        changed: () => pressure[Symbol.dispose](),
      },
      protecting,
    )
    await clock.advance(250)
    expect(clock.waiting).toEqual([])
  })
})

describe('a reading that comes late', () => {
  /** A clock that can stand still for its tasks and then jump, as a stopped process sees it. */
  function stopped(forMs: number, ranMs: number) {
    let now = 0
    let cpuMs = 0
    let task = (): void => {}
    let delayMs = 0
    const changes: string[] = []
    const pressure = new Pressure(
      {
        clock: { now: () => now, after: (_delay, next) => ((task = next), () => {}) },
        loopDelay: { p99Ms: () => delayMs, forget: () => (delayMs = 0) },
        memoryShare: () => 0.2,
        connectionShare: () => 0.1,
        cpuMs: () => cpuMs,
        read: () => {},
        changed: (level, reason) => changes.push(`${level} ${reason}`),
      },
      protecting,
    )
    now += forMs
    cpuMs += ranMs
    delayMs = forMs - 250
    task()
    return { changes, pressure }
  }

  it.each([
    ['of a process that was stopped for ten minutes counts for nothing', 600_000, 20, []],
    ['of a process that was stopped for three seconds counts for nothing', 3000, 0, []],
    ['of a process that was busy all the while is its load', 10_000, 9900, ['3 event-loop']],
    ['of a process that got a fifth of a processor is its load', 5000, 1000, ['3 event-loop']],
    ['by less than a second is its load, whatever it did', 1200, 10, ['2 event-loop']],
  ])('%s', (_name, forMs, ranMs, expected) => {
    const { changes, pressure } = stopped(forMs, ranMs)
    expect(changes).toEqual(expected)
    pressure[Symbol.dispose]()
  })
})

describe('the event loop’s delay', () => {
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  const spin = (ms: number): void => {
    const end = performance.now() + ms
    while (performance.now() < end);
  }

  it('is seen when every turn is slow, and leaves out what is to be forgotten', async () => {
    using delay = new LoopDelay()
    for (let i = 0; i < 6; i++) {
      spin(80)
      await sleep(0)
    }
    const seen = delay.p99Ms()
    expect(seen).toBeGreaterThan(60)
    expect(seen).toBeLessThan(1000)
    spin(80)
    delay.forget()
    expect(delay.p99Ms()).toBe(0)
  })

  /** Histograms that are told their samples: the time from one to the next, ms. */
  function byHand() {
    const all: number[][] = []
    const delay = new LoopDelay(() => {
      const samples: number[] = []
      all.push(samples)
      return {
        get count() {
          return samples.length
        },
        get max() {
          return Math.max(...samples) * 1e6
        },
        percentile: (percent) => {
          const at = Math.floor((percent / 100) * samples.length + 0.5)
          return (samples.toSorted((a, b) => a - b)[Math.max(1, at) - 1] ?? 0) * 1e6
        },
        reset: () => samples.splice(0),
        disable: () => {},
      }
    })
    /** What is read after a quarter of a second whose samples these are, and as many at ease as fit. */
    const quarter = (...slow: number[]): number => {
      const left = 250 - slow.reduce((sum, ms) => sum + ms, 0)
      const samples = [...slow, ...Array.from({ length: Math.max(0, Math.floor(left / 10)) }, () => 10)]
      for (const histogram of all) histogram.push(...samples)
      return Math.round(delay.p99Ms())
    }
    return { quarter, delay }
  }

  it('leaves out one short stall, sees two, and forgets them within a second and a quarter', () => {
    const { quarter } = byHand()
    for (let i = 0; i < 4; i++) quarter()
    expect(quarter(120)).toBe(0)
    expect(quarter(90)).toBe(80)
    const later = [1, 2, 3, 4, 5].map(() => quarter())
    expect(later.at(-1)).toBe(0)
  })

  it('is one long stall, although it took the samples with it that would tell of it', () => {
    const { quarter } = byHand()
    for (let i = 0; i < 4; i++) quarter()
    expect(quarter(2000)).toBe(1990)
  })

  it('does not count Node’s own pause between samples', async () => {
    using delay = new LoopDelay()
    expect(delay.p99Ms()).toBe(0)
    const readings: number[] = []
    for (let i = 0; i < 5; i++) {
      await sleep(60)
      readings.push(delay.p99Ms())
    }
    // A shared machine may stall any one of them.
    expect(Math.min(...readings)).toBeLessThan(8)
  })
})

describe('the memory in use', () => {
  const mib = 1024 ** 2
  const source = (changes: Partial<MemorySource>): MemorySource => ({
    constrained: 0,
    total: 8000 * mib,
    rss: () => 400 * mib,
    heap: () => ({ used_heap_size: 10 * mib, heap_size_limit: 4000 * mib }),
    ...changes,
  })

  it.each([
    ['of the machine, where there is no control group', {}, 1, 0.05],
    ['of the control group', { constrained: 1000 * mib }, 1, 0.4],
    ['of the machine, where a control group without a limit says 2^64', { constrained: 2 ** 64 }, 1, 0.05],
    ['of one process’s part of it', { constrained: 1000 * mib }, 2, 0.8],
    [
      'of the heap, where that is nearer to its end',
      { heap: () => ({ used_heap_size: 3600 * mib, heap_size_limit: 4000 * mib }) },
      1,
      0.9,
    ],
  ])('is a share %s', (_name, changes, processes, share) => {
    expect(memoryShareOf(processes, source(changes))()).toBeCloseTo(share, 10)
  })

  it('stands as last read while it can’t be read', () => {
    let broken = false
    const rss = (): number => {
      if (broken) throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' })
      return 4000 * mib
    }
    const read = memoryShareOf(1, source({ rss }))
    expect(read()).toBe(0.5)
    broken = true
    expect(read()).toBe(0.5)
  })

  it('of this process is some, and not all', () => {
    const share = memoryShareOf()()
    expect(share).toBeGreaterThan(0)
    expect(share).toBeLessThan(1)
  })
})

it('processor time goes on', () => {
  const before = processCpuMs()
  const end = performance.now() + 50
  while (performance.now() < end);
  expect(processCpuMs() - before).toBeGreaterThan(5)
})
