// Prints the last line of a CI run, and above it which files needed a second run: whole run's report, then the second's.
import { report } from './report.mjs'

const whole = report(process.argv[2])
const again = report(process.argv[3])
const twice = new Set(again.testResults.map(({ name }) => name))
const counted = [...whole.testResults.filter(({ name }) => !twice.has(name)), ...again.testResults]
const say = (line) => process.stdout.write(`${line}\n`)
const count = (status) =>
  counted.flatMap(({ assertionResults }) => assertionResults).filter((one) => one.status === status).length
for (const { name, status } of again.testResults)
  say(`${status === 'passed' ? 'UNSTEADY: failed in the whole run, passed alone' : 'FAILED TWICE'}: ${name}`)
// A file that can't even be read has no tests that could fail.
const broken = counted.filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
)
say(`${count('passed')} passed, ${count('failed') + broken.length} failed`)
