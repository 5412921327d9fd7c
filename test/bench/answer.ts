// What a node answers: as long as region-node's answer to `GET /v1/codes/{residentId}`, with as many headers.

/** Body of 363 bytes for names of 10 letters, such as `xianyang-1`. */
export const codeAnswer = (node: string): string =>
  JSON.stringify({
    residentToken: 'mMmE_BVoRs8XL0FoiREgPp',
    code: 'mMmE_BVoRs8XL0FoiREgPp.mwtmhidc.X6-VEeBIk1D4JibkldrR6j',
    status: 'green',
    divisionCode: '610100',
    issuer: node,
    issuedAt: '2022-01-04T01:50:12.480Z',
    validUntil: '2022-01-04T01:52:12.480Z',
    updatedAt: '2022-01-03T13:00:00.000Z',
    testTime: '2022-01-03T09:00:00.000Z',
    testResult: 'pending',
    freshness: 'live',
  })

/** Besides Content-Length, Date, Connection and Keep-Alive, which servers add. */
export const answerHeaders: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'cache-control': 'private, no-store',
  'synthetic-data': '?1',
}

/** Who wrote this answer; null where it is no node's answer. */
export const nodeOf = (body: string): string | null => /"issuer":"([^"]+)"/.exec(body)?.[1] ?? null

/** A different resident each time, five hundred in all. */
export const pathOf = (i: number): string => `/v1/codes/R610100-${String(i % 500).padStart(6, '0')}`

/** What a resident's phone sends besides Host. */
export const phoneHeaders: Readonly<Record<string, string>> = {
  'user-agent': 'Mozilla/5.0 (Linux; Android 12) AppleWebKit/537.36 MicroMessenger/8.0.16',
  accept: 'application/json',
  'accept-language': 'zh-CN,zh;q=0.9',
  'accept-encoding': 'gzip',
}
