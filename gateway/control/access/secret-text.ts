// Access tokens where they do not belong: found in text, and taken out of it before it is kept.

/** Our own, and JWTs, whose header is a JSON object in base64url. */
const secret = /(?<ours>chiyuan_[a-z0-9]{8})_[\w-]{43}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g

export const holdsSecret = (text: string): boolean => text.search(secret) !== -1

/** Of our own tokens what names them is left. */
export const withoutSecrets = (text: string): string =>
  text.replaceAll(secret, (_, ours: string | undefined) =>
    ours === undefined ? '[token]' : `${ours}_[secret]`,
  )
