// What Chiyuan itself counted in a scenario: where attempts went, hedges, retries not afforded, breakers.

const wanted = new Set([
  'chiyuan_requests_total',
  'chiyuan_failovers_total',
  'chiyuan_attempts_total',
  'chiyuan_attempts_started_total',
  'chiyuan_budget_spent_total',
  'chiyuan_breaker_transitions_total',
  'chiyuan_refusals_total',
])

/** Values by series, as Prometheus writes them. */
export async function readCounters(adminPort: number): Promise<Record<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(5000),
  })
  const counters: Record<string, number> = {}
  for (const line of (await answer.text()).split('\n')) {
    const space = line.lastIndexOf(' ')
    const series = line.slice(0, space)
    if (wanted.has(series.split('{', 1)[0] ?? '')) counters[series] = Number(line.slice(space + 1))
  }
  return counters
}
