// Drills compared and scored by the API, each answer held to its document.
import { expect, it } from '@jest/globals'
import { drillPrefix, drillSchema } from '../../gateway/control/drills/records.ts'
import { regionId } from '../../gateway/model/ids.ts'
import { aReport, endedDaysAgo, putOver } from '../support/drill-reports.ts'
import { aDrill } from '../support/drills.ts'
import { openApi } from '../support/operators.ts'

it('compares two that are over, for programs and for people', async () => {
  await using api = await openApi()
  await putOver(api, { drill: 'a', times: { ...aReport().times, detectMs: 900 } })
  await putOver(api, { drill: 'b', name: 'again | <b>' })
  const path = '/drill-comparison?before=a&after=b'
  const json = await api.asDocumented('get', '/drill-comparison', await api.get(path))
  expect(json.body).toMatchObject({
    before: { drill: 'a', verdict: 'passed', requests: 1000 },
    after: { drill: 'b' },
    isComparable: true,
    verdict: 'same',
    counts: { better: 1, worse: 0 },
  })
  expect(json.body.figures[0]).toEqual({
    name: 'detectMs',
    before: 900,
    after: 400,
    delta: -500,
    tolerance: 200,
    judgement: 'better',
  })
  const text = await api.asDocumented(
    'get',
    '/drill-comparison',
    await api.get(`${path}&format=markdown&lang=en`),
  )
  expect(text.headers['content-type']).toBe('text/markdown; charset=utf-8')
  expect(text.headers['cache-control']).toBe('no-store')
  expect(text.text).toContain('| time to detect, ms | 900 | 400 | -500 | ± 200 | better |')
  expect(text.text).toContain(String.raw`again \| \<b\>`)
  expect((await api.get(`${path}&format=markdown`)).text).toContain('发现用时')
  expect(api.faults).toEqual([])
})

it.each([
  { what: 'one that is not there', query: 'before=a&after=none', status: 404, says: /no such drill/ },
  {
    what: 'one that has not run',
    query: 'before=draft&after=a',
    status: 409,
    says: /drill draft is .*draft.* and has no report/,
  },
  { what: 'one alone', query: 'before=a', status: 422, says: /query after/ },
  { what: 'what nobody knows', query: 'before=a&after=a&format=pdf', status: 422, says: /query format/ },
])('comparing $what gets $status', async ({ query, status, says }) => {
  await using api = await openApi()
  await putOver(api, { drill: 'a' })
  await api.registry.commit([
    { key: `${drillPrefix}draft`, value: drillSchema.parse(aDrill({ id: 'draft' })), expectedVersion: 0 },
  ])
  const answer = await api.asDocumented(
    'get',
    '/drill-comparison',
    await api.get(`/drill-comparison?${query}`),
  )
  expect([answer.status, answer.text]).toEqual([status, expect.stringMatching(says)])
})

it('scores every region, worst first, in pages, and one alone', async () => {
  await using api = await openApi()
  await putOver(api, { drill: 'old', run: endedDaysAgo(100) })
  await putOver(api, {
    drill: 'bad',
    scope: { ...aReport().scope, homes: [regionId('620100')] },
    verdict: 'failed',
    run: endedDaysAgo(2),
  })
  const whole = await api.asDocumented('get', '/drill-scoreboard', await api.get('/drill-scoreboard'))
  expect(whole.body).toMatchObject({
    items: [
      { region: '620100', grade: 'failed', last: { drill: 'bad', ageDays: 2, verdict: 'failed' } },
      { region: '610400', grade: 'never', last: null, words: { zh: '从未验证', en: 'NEVER TESTED' } },
      { region: '610100', grade: 'ageing', last: { drill: 'old', ageDays: 100 } },
    ],
    next: null,
  })
  const seen: string[] = []
  for (let after = ''; ;) {
    const part = await api.get(`/drill-scoreboard?limit=1${after === '' ? '' : `&after=${after}`}`)
    await api.asDocumented('get', '/drill-scoreboard', part)
    seen.push(...part.body.items.map(({ region }: { region: string }) => region))
    if (part.body.next === null) break
    after = part.body.next
  }
  expect(seen).toEqual(['620100', '610400', '610100'])
  const one = await api.get('/drill-scoreboard?region=610100&staleAfterDays=365')
  await api.asDocumented('get', '/drill-scoreboard', one)
  expect(one.body.items).toMatchObject([
    {
      grade: 'ready',
      levels: [
        { level: 'local', lastPassed: { drill: 'old' }, nodes: [{ node: 'xian-1' }, { node: 'xian-2' }] },
        { level: 'neighbour', region: '610400', lastPassed: null },
      ],
    },
  ])
  const unknown = await api.get('/drill-scoreboard?region=990000')
  await api.asDocumented('get', '/drill-scoreboard', unknown)
  expect([unknown.status, unknown.text]).toEqual([404, expect.stringContaining('no region 990000')])
  expect((await api.get('/drill-scoreboard?staleAfterDays=0')).status).toBe(422)
  expect(api.faults).toEqual([])
})
