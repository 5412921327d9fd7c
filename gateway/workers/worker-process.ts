// What a worker process runs.
import { obeyPrimary } from './worker.ts'

obeyPrimary()
