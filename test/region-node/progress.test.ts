import { describe, expect, it } from '@jest/globals'
import { duration, Progress } from '../../region-node/generation/progress.ts'

function shown(stream: { isTTY?: boolean; columns?: number }): {
  progress: Progress
  pass: (ms: number) => void
  said: () => string
} {
  let text = ''
  let nowMs = 1_000
  const write = (chunk: string | Uint8Array): boolean => {
    text += String(chunk)
    return true
  }
  return {
    progress: new Progress({ ...stream, write }, 13_000_000, () => nowMs),
    pass: (ms) => (nowMs += ms),
    said: () => text,
  }
}

describe('progress', () => {
  it('draws one line over and over on a terminal', () => {
    const { progress, pass, said } = shown({ isTTY: true, columns: 100 })
    progress.step('writing')
    pass(1_000)
    progress.done(3_250_000)
    pass(1_000)
    progress.done(6_500_000)
    progress.end()
    const lines = said().split('\r').slice(1)
    expect(lines[0]).toBe(
      'writing [######------------------] 25 %  3,250,000 of 13,000,000  3,250,000/s  3 s left\u001B[K',
    )
    expect(lines[1]).toContain('[############------------] 50 %')
    expect(said().endsWith('\n')).toBe(true)
  })

  it('never draws more often than ten times a second, nor beyond the edge of the terminal', () => {
    const { progress, pass, said } = shown({ isTTY: true, columns: 40 })
    progress.step('writing')
    for (let done = 0; done < 1_000; done += 1) {
      pass(1)
      progress.done(done)
    }
    const lines = said().split('\r').slice(1)
    expect(lines).toHaveLength(10)
    for (const line of lines) expect(line.replace('\u001B[K', '').length).toBeLessThan(40)
  })

  it.each([{ columns: 80 }, { columns: 64 }])(
    'has the time left in view at $columns columns',
    ({ columns }) => {
      const { progress, pass, said } = shown({ isTTY: true, columns })
      progress.step('writing')
      pass(10_000)
      progress.done(1_300_000)
      expect(said().endsWith(' 1 m 30 s left\u001B[K')).toBe(true)
      expect(said().length).toBeLessThan(columns + 5)
    },
  )

  it('says a plain line every five seconds elsewhere, without control characters', () => {
    const { progress, pass, said } = shown({})
    progress.step('writing')
    for (let second = 1; second <= 12; second += 1) {
      pass(1_000)
      progress.done(second * 100_000)
    }
    expect(said()).toBe(
      'writing: 3 %  500,000 of 13,000,000  100,000/s  2 m 5 s left\n' +
        'writing: 7 %  1,000,000 of 13,000,000  100,000/s  2 m left\n',
    )
  })

  it.each([
    { seconds: 0.2, said: '1 s' },
    { seconds: 91, said: '1 m 31 s' },
    { seconds: 3_600, said: '1 h' },
    { seconds: 4_000, said: '1 h 6 m' },
  ])('$seconds seconds are $said', ({ seconds, said }) => {
    expect(duration(seconds)).toBe(said)
  })
})
