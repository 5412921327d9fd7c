// Prints the test files that failed by a report of jest's, a line each; none where there is no report.
import { report } from './report.mjs'

for (const { name, status } of report(process.argv[2]).testResults)
  if (status === 'failed') process.stdout.write(`${name}\n`)
