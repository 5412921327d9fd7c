// Access tokens: how they look, and how what is kept of them is compared. Only the holder has the token itself.
import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto'

/** `chiyuan_k3v9x2mq_…`: what it is, which one, and the secret, of 256 random bits. */
const form = /^chiyuan_([a-z0-9]{8})_([A-Za-z0-9_-]{43})$/
const idLetters = 'abcdefghjkmnpqrstuvwxyz23456789'

export interface KeptSecret {
  /** Base64. */
  readonly salt: string
  readonly hash: string
}

export interface NewToken {
  readonly id: string
  /** Shown once, kept nowhere. */
  readonly token: string
  readonly kept: KeptSecret
}

/** @param id Of the token that gets a new secret; a new one otherwise. */
export async function makeToken(id = newId()): Promise<NewToken> {
  const secret = randomBytes(32).toString('base64url')
  const salt = randomBytes(16)
  const hash = await hashed(secret, salt)
  return {
    id,
    token: `chiyuan_${id}_${secret}`,
    kept: { salt: salt.toString('base64'), hash: hash.toString('base64') },
  }
}

const newId = (): string => Array.from({ length: 8 }, () => idLetters[randomInt(idLetters.length)]).join('')

/** @returns `null` for what is no access token. */
export function readToken(text: string): { id: string; secret: string } | null {
  const [, id, secret] = form.exec(text) ?? []
  return id === undefined || secret === undefined ? null : { id, secret }
}

/** In the same time whatever the difference. */
export async function isSecret(secret: string, { salt, hash }: KeptSecret): Promise<boolean> {
  const kept = Buffer.from(hash, 'base64')
  const given = await hashed(secret, Buffer.from(salt, 'base64'))
  return kept.length === given.length && timingSafeEqual(kept, given)
}

/** What a secret of nobody is compared with, so that an unknown id takes as long as a known one. */
export const nobody: KeptSecret = {
  salt: Buffer.alloc(16).toString('base64'),
  hash: Buffer.alloc(32).toString('base64'),
}

/**
 * scrypt (RFC 7914) with N 16384, r 8, p 1: 16 MB and some tens of milliseconds, off the main thread. What it guards
 * are random secrets, not passwords.
 */
const hashed = (secret: string, salt: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(secret, salt, 32, { N: 16_384, r: 8, p: 1 }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    )
  })
