// admin.oidc in the file: what is taken as it stands, and what is refused before anybody is let in by it.
import { describe, expect, it } from '@jest/globals'
import { testConfig } from '../support/gateway.ts'

const good = { issuer: 'https://id.example/realm', audience: 'chiyuan', roles: { a: 'viewer' }, scope: '*' }
const read = (changes: Record<string, unknown>) =>
  testConfig([{ code: '610100', nodes: { 'xian-1': 'http://127.0.0.1:9' } }], '/nowhere', {
    admin: { oidc: { ...good, ...changes } },
  }).admin.oidc

describe('an identity provider', () => {
  it('needs an issuer, an audience, roles and regions; the rest has its usual value', () => {
    expect(read({})).toEqual({
      ...good,
      algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'],
      rolesClaim: ['roles'],
      nameClaim: ['name'],
      clockToleranceMs: 30_000,
      longestAgeMs: 3_600_000,
    })
  })

  it('may be on this machine without TLS', () => {
    expect(read({ issuer: 'http://127.0.0.1:9000', jwksUri: 'http://localhost:9000/keys' })?.jwksUri).toBe(
      'http://localhost:9000/keys',
    )
  })

  it.each([
    ['an issuer in the clear', { issuer: 'http://id.example' }, /admin\.oidc\.issuer.*https/],
    ['keys in the clear', { jwksUri: 'http://id.example/keys' }, /admin\.oidc\.jwksUri.*https/],
    ['keys in a file', { jwksUri: 'file:///etc/keys.json' }, /admin\.oidc\.jwksUri/],
    ['a shared secret', { algorithms: ['HS256'] }, /admin\.oidc\.algorithms/],
    ['no signature', { algorithms: ['none'] }, /admin\.oidc\.algorithms/],
    ['no roles', { roles: {} }, /admin\.oidc\.roles/],
    ['a role that there is not', { roles: { a: 'root' } }, /admin\.oidc\.roles/],
    ['regions twice over', { scopeClaim: 'regions' }, /either scope or scopeClaim/],
    ['no regions', { scope: undefined }, /either scope or scopeClaim/],
    ['a region that is none', { scope: ['61'] }, /admin\.oidc\.scope/],
    ['a clock that may be days off', { clockToleranceMs: 86_400_000 }, /admin\.oidc\.clockToleranceMs/],
  ])('is refused with %s', (_, changes, words) => {
    expect(() => read(changes)).toThrow(words)
  })
})
