// Prints the last line of a CI run, and above it which files needed a second run. Told the second run's report, then
// those of the first.
import { report } from './report.mjs'

const [, , second, ...firsts] = process.argv
const again = report(second)
const whole = firsts.flatMap((file) => report(file).testResults)
const twice = new Set(again.testResults.map(({ name }) => name))
const counted = [...whole.filter(({ name }) => !twice.has(name)), ...again.testResults]
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
