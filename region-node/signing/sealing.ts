// Encrypts a private key under a passphrase: a JWE around the JWK (RFC 7517 section 7), PBES2 and AES-256-GCM.
import { CompactEncrypt, compactDecrypt } from 'jose'
import { KeyError } from './key-error.ts'

const algorithm = 'PBES2-HS512+A256KW'
/** What OWASP advises for PBKDF2 with SHA-512; the PKCS#8 files that Node writes have 2,048. */
export const advisedRounds = 210_000
const mostRounds = 2_000_000
export const shortestPassphrase = 12

const encoder = new TextEncoder()

/** @param rounds Of key derivation; fewer only where nothing is to be kept secret. */
export function seal(secret: string, passphrase: string, rounds = advisedRounds): Promise<string> {
  return new CompactEncrypt(encoder.encode(secret))
    .setProtectedHeader({ alg: algorithm, enc: 'A256GCM' })
    .setKeyManagementParameters({ p2c: rounds })
    .encrypt(encoder.encode(passphrase))
}

/**
 * @param place The file, for the error's text.
 * @throws {KeyError} when the passphrase is not the one that sealed it, or the text is damaged: nobody can tell which.
 */
export async function unseal(sealed: string, passphrase: string, place: string): Promise<string> {
  try {
    const { plaintext } = await compactDecrypt(sealed, encoder.encode(passphrase), {
      keyManagementAlgorithms: [algorithm],
      contentEncryptionAlgorithms: ['A256GCM'],
      maxPBES2Count: mostRounds,
    })
    return new TextDecoder().decode(plaintext)
  } catch {
    // Without its cause: that might hold what was read.
    throw new KeyError(
      `${place}: wrong passphrase, or the file is damaged; give the passphrase that it was made with`,
    )
  }
}
