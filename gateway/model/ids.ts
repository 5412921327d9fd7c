// Identifiers as types of their own, so that a node's name can't stand where a region's code belongs.

declare const brand: unique symbol

/** An administrative division by its six-digit GB/T 2260 code, such as `610100` (Xi'an). */
export type RegionId = string & { readonly [brand]: 'RegionId' }

/** The name of one node, unique in the federation: 1 to 64 of `a-z A-Z 0-9 . _ -`. */
export type NodeId = string & { readonly [brand]: 'NodeId' }

const regionPattern = /^[1-9]\d{5}$/
const nodePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export const isRegionId = (text: string): text is RegionId => regionPattern.test(text)

export const isNodeId = (text: string): text is NodeId => nodePattern.test(text)

/** @throws {TypeError} when `text` is not a six-digit division code. */
export function regionId(text: string): RegionId {
  if (isRegionId(text)) return text
  throw new TypeError(`"${text}" is not a region code; a code is six digits, such as 610100`)
}

/** @throws {TypeError} when `text` is not a legal node name. */
export function nodeId(text: string): NodeId {
  if (isNodeId(text)) return text
  throw new TypeError(`"${text}" is not a node id; use 1 to 64 letters, digits, dots, dashes or underscores`)
}
