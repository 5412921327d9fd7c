// Small integer mixing for rendezvous choice and ramps. Not a cryptographic hash: its inputs are keyed already.

/** FNV-1a over UTF-16 code units, finished by {@link mix}. Seeds a node's name once, at load. */
export function seedOf(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  return mix(h)
}

/** Murmur3's 32-bit finaliser (Appleby, public domain): every input bit moves every output bit. */
export function mix(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** A number in (0, 1], the same for the same pair, as if drawn at random for each pair. */
export function pairDraw(key: number, seed: number): number {
  return (mix(key ^ seed) + 1) / 0x1_0000_0000
}
