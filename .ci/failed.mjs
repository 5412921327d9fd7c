// Prints the test files that failed by reports of jest's, a line each; none where there is no report.
import { report } from './report.mjs'

for (const { name, status } of process.argv.slice(2).flatMap((file) => report(file).testResults))
  if (status === 'failed') process.stdout.write(`${name}\n`)
