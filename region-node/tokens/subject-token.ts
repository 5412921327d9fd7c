// The name by which nodes, gateways and logs know a person: a keyed hash of a document, never its number.
import { createHmac } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { IdentityDocument } from './document.ts'

/**
 * 128 bits: among 1.4 thousand million people two meet with a chance of 3e-21, and every bit more is
 * stored for each of them in the table and in the feed. Who lacks the pepper can't guess a token
 * whatever its length; who has it can try all 18-digit numbers whatever its length.
 */
export const TOKEN_BYTES = 16

/** Base64url of 16 bytes: the last of 22 characters carries two bits, so only four letters can stand there. */
export const SUBJECT_TOKEN = /^[A-Za-z0-9_-]{21}[AQgw]$/

/**
 * @param pepper Secret of the epoch. Without it an ID number could be found by trying all of them.
 * @param document As {@link readDocument} gives it: one spelling for one document.
 */
export const subjectToken = (pepper: KeyObject, { type, number }: IdentityDocument): string =>
  createHmac('sha256', pepper).update(`${type}|${number}`).digest().toString('base64url', 0, TOKEN_BYTES)
