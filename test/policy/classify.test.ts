// Which class a request is of: by whole segments, by method, the more important class first.
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { classifier, type RouteRule } from '../../gateway/policy/classify.ts'

const none = { routes: [], coalesce: false, lastGood: false }
const only = (rule: RouteRule) =>
  classifier({ critical: { ...none, routes: [rule] }, important: none, deferrable: none }, 'deferrable')

it.each<[string, string, boolean]>([
  ['/v1/codes/*', '/v1/codes/R1', true],
  ['/v1/codes/*', '/v1/codes/R1?x=/y', true],
  ['/v1/codes/*', '/v1/codes/', false],
  ['/v1/codes/*', '/v1/codes', false],
  ['/v1/codes/*', '/v1/codes/R1/', false],
  ['/v1/codes/*', '/v1/codes/R1/history', false],
  ['/v1/codes/*', '/x/v1/codes/R1', false],
  ['/v1/codes/*', '/v1/other?/v1/codes/R1', false],
  ['/v1/*/history', '/v1/R1/history', true],
  ['/v1/*/history', '/v1/a/b/history', false],
  ['/v1/tests/**', '/v1/tests', true],
  ['/v1/tests/**', '/v1/tests/', true],
  ['/v1/tests/**', '/v1/tests/a/b/c', true],
  ['/v1/tests/**', '/v1/testsuite', false],
  ['/v1/*/x/**', '/v1/a/x/b', true],
  ['/**', '/', true],
  ['/**', '/any/thing?q', true],
  ['/*', '/a', true],
  ['/*', '/a/b', false],
  ['/', '/', true],
  ['/', '/a', false],
  ['/a/', '/a/', true],
  ['/a/', '/a', false],
  // Characters that mean something in a regular expression mean themselves in a path.
  ['/v1.0/(a)+', '/v1.0/(a)+', true],
  ['/v1.0/a', '/v1x0/a', false],
  ['/a$b^c|d[e]', '/a$b^c|d[e]', true],
])('%s and %s: %s', (path, asked, fits) => {
  expect(only({ path })('GET', asked).name).toBe(fits ? 'critical' : 'deferrable')
})

it('fits only the methods that it names', () => {
  const classify = only({ path: '/v', methods: ['POST', 'PUT'] })
  expect(['POST', 'PUT', 'GET', 'HEAD'].map((method) => classify(method, '/v').name)).toEqual([
    'critical',
    'critical',
    'deferrable',
    'deferrable',
  ])
})

it('the more important class wins where two fit, and brings what it opted in to', () => {
  const all = [{ path: '/**' }]
  const classify = classifier(
    {
      critical: { routes: [{ path: '/c' }], coalesce: true, lastGood: true },
      important: { routes: all, coalesce: false, lastGood: true },
      deferrable: { routes: all, coalesce: true, lastGood: false },
    },
    'deferrable',
  )
  expect(classify('GET', '/c')).toEqual({ name: 'critical', coalesce: true, lastGood: true })
  expect(classify('GET', '/d')).toEqual({ name: 'important', coalesce: false, lastGood: true })
})

it('any path without a star fits itself, with and without a query, and nothing longer', () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9._~!$&'()+,;=:@%^|[\]\\-]{1,8}$/)
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (segments) => {
      const path = `/${segments.join('/')}`
      const classify = only({ path })
      expect(classify('GET', path).name).toBe('critical')
      expect(classify('GET', `${path}?a=/b`).name).toBe('critical')
      expect(classify('GET', `${path}/x`).name).toBe('deferrable')
      expect(classify('GET', `${path}x`).name).toBe('deferrable')
    }),
  )
})

it('a long hostile path costs next to nothing', () => {
  const classify = only({ path: '/*/*/*/*/*/x/**' })
  const startedAt = performance.now()
  for (let i = 0; i < 1000; i++) classify('GET', `/${'a/'.repeat(4000)}`)
  expect(performance.now() - startedAt).toBeLessThan(1000)
})
