// Paper of the tiny node: printed, lost, and whom it stands for.
import { randomBytes, randomUUID } from 'node:crypto'

/** What is wrong with it; each is one fault. */
export type PaperFault = 'paper-tells-colour' | 'paper-is-green' | 'takes-lost-paper'

export interface TinyPaper {
  /** What is signed, under which `typ`. */
  print(token: string, now: number): { id: string; typ: string; claims: object; exp: number }
  lose(id: string): number
  isLost(rid: string): boolean
}

export function tinyPaper(home: string, fault: string | undefined): TinyPaper {
  const rids = new Map<string, string>()
  const lost = new Set<string>()
  return {
    print: (token, now) => {
      const [id, rid, exp] = [randomUUID(), randomBytes(16).toString('base64url'), now + 86_400]
      rids.set(id, rid)
      const colour = fault === 'paper-tells-colour' ? { st: 'green' } : {}
      const claims = { ...colour, rid, exp, iat: now, sub: [token], hom: home, iss: home, v: 1 }
      return { id, typ: 'chiyuan-paper', claims, exp }
    },
    lose: (id) => {
      const rid = rids.get(id)
      if (rid === undefined || lost.has(rid)) return 0
      lost.add(rid)
      return 1
    },
    isLost: (rid) => fault !== 'takes-lost-paper' && lost.has(rid),
  }
}
