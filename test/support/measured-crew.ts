// A gateway of two workers in a process of its own that tells its parent what it measures and what has happened.
import { loadConfig } from '../../config/load.ts'
import { createLogger } from '../../gateway/telemetry/log.ts'
import { startWorkers } from '../../gateway/workers/primary.ts'

const [configFile = ''] = process.argv.slice(2)
const config = await loadConfig(configFile)
const gateway = await startWorkers(config, createLogger('info', 'json'), 2)
process.on('message', (what) => {
  if (what === 'close') void gateway.close().then(() => process.exit(0))
  else if (what === 'events') process.send?.({ events: gateway.events.recent() })
  else void gateway.measured.read().then((readings) => process.send?.({ readings }))
})
process.send?.({ publicPort: gateway.publicPort })
