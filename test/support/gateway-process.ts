// A gateway as a child process, for tests that weigh it: sends its port, then its memory whenever it is asked.
import { startTestGateway } from './gateway.ts'

const [nodeUrl = ''] = process.argv.slice(2)
const edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': nodeUrl } }])
process.on('message', () => {
  // Parts that have been passed on already are nobody's cost.
  globalThis.gc?.()
  process.send?.(process.memoryUsage.rss())
})
process.on('disconnect', () => {
  void edge.close().then(() => process.exit(0))
})
process.send?.(edge.port)
