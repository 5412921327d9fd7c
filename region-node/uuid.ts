// UUIDs (RFC 9562) made of bytes instead of chance, so that two nodes that are told the same give it the same id.

/** Version 8: the bytes are ours, but for the six bits that say so. @param bytes Sixteen or more. */
export function uuidOf(bytes: Buffer): string {
  const marked = Buffer.from(bytes.subarray(0, 16))
  marked.writeUInt8((marked.readUInt8(6) & 0x0f) | 0x80, 6)
  marked.writeUInt8((marked.readUInt8(8) & 0x3f) | 0x80, 8)
  return uuidText(marked)
}

/** @param bytes Sixteen. */
export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
