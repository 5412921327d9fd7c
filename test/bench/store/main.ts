// What a generated data file costs in bytes, and a look-up in it in time: node test/bench/store/main.ts FILE REGION
import { DatabaseSync } from 'node:sqlite'
import { noCopies } from '../../../region-node/replication/copies.ts'
import { lookUpCards } from '../../../region-node/look-up-cards.ts'
import { openStore } from '../../../region-node/store/store.ts'
import type { Store } from '../../../region-node/store/store.ts'
import { syntheticResidentId, syntheticToken } from '../../../region-node/synthetic.ts'
import { quantile, rounded } from '../stats.ts'

const [file, region = '610100'] = process.argv.slice(2)
if (file === undefined) throw new Error('name the data file; chiyuan residents generate makes one')

function sizes(): void {
  using db = new DatabaseSync(file ?? '', { readOnly: true })
  const tables = db.prepare(
    'SELECT name, sum(pgsize) AS bytes, sum(ncell) AS cells FROM dbstat GROUP BY name ORDER BY bytes DESC LIMIT 4',
  )
  for (const { name, bytes, cells } of tables.all()) {
    const each = rounded(Number(bytes) / Math.max(1, Number(cells)), 1)
    process.stdout.write(`${String(name)}: ${rounded(Number(bytes) / 1e6, 1)} MB, ${each} bytes a row\n`)
  }
}

const randomToken = (count: number): string =>
  syntheticToken(syntheticResidentId(region, 1 + Math.floor(Math.random() * count)))

/** Each is timed by itself; the first are as cold as the caches are. */
function lookUps(store: Store, count: number, times: number): void {
  const tokens = Array.from({ length: times }, () => randomToken(count))
  const before = process.cpuUsage()
  const tookUs = tokens.map((token) => {
    const begun = process.hrtime.bigint()
    if (!store.residents.byToken(token)) throw new Error('a generated resident is missing')
    return Number(process.hrtime.bigint() - begun) / 1_000
  })
  const { user, system } = process.cpuUsage(before)
  const shares = [0.5, 0.99, 0.999].map(
    (share) => `p${share * 100} ${rounded(quantile(tookUs, share), 1)} µs`,
  )
  const cpu = rounded((user + system) / times, 1)
  process.stdout.write(`${times} look-ups: ${shares.join(', ')}, ${cpu} µs of CPU each\n`)
}

function batches(store: Store, count: number): void {
  const made = Array.from({ length: 500 }, () => Array.from({ length: 100 }, () => randomToken(count)))
  const begun = performance.now()
  for (const tokens of made) lookUpCards({ store, regionCode: region, copies: noCopies }, tokens)
  const eachMs = rounded((performance.now() - begun) / made.length, 2)
  process.stdout.write(`a batch of 100 cards: ${eachMs} ms\n`)
}

function feed(store: Store, most: number): void {
  const begun = performance.now()
  let read = 0
  let at = { epoch: 1, seq: 0 }
  for (;;) {
    const page = store.feed.after(region, at, 1_000)
    read += page.length
    const last = page.at(-1)
    if (!last || read >= most) break
    at = last
  }
  const rate = Math.round(read / ((performance.now() - begun) / 1_000))
  process.stdout.write(`feed in pages of 1,000: ${rate} residents/s\n`)
}

const store = openStore(file)
const count = store.holdings.all().find((holding) => holding.region === region)?.residents ?? 0
for (const times of [5_000, 200_000, 200_000, 200_000]) lookUps(store, count, times)
batches(store, count)
feed(store, 1_000_000)
process.stdout.write(`memory: ${rounded(process.memoryUsage().rss / 1e6, 0)} MB\n`)
store.close()
sizes()
