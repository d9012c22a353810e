// Counts what ran: every named test (a `t.test` of a test file, or a file that failed before it had any).
import { Parser } from 'tap-parser'

/**
 * @param {string} tap - a whole run's output
 * @returns {{ passed: number, failed: number, skipped: number, failures: string[] }}
 */
export function countTests (tap) {
  const count = { passed: 0, failed: 0, skipped: 0, failures: [] }
  const note = (name, ok, skip) => {
    if (skip) count.skipped++
    else if (ok) count.passed++
    else {
      count.failed++
      count.failures.push(name)
    }
  }
  const run = new Parser()
  run.on('child', file => {
    const tests = new Set()
    file.on('child', test => {
      tests.add(test.name)
      test.on('complete', result => note(`${file.name} > ${test.name}`, result.ok, result.skip > 0 && result.count === result.skip))
    })
    // An assertion or a crash outside of any named test, such as a timeout. A test's own line has been counted with it.
    file.on('assert', result => { if (!result.ok && !tests.has(result.name)) note(`${file.name} > ${result.name}`, false, false) })
    file.on('complete', result => {
      const skipped = Boolean(result.plan?.skipAll) && !/no tests found/.test(result.plan.comment)
      if (tests.size === 0 && result.failures.length === 0) note(file.name, result.count > 0, skipped)
    })
  })
  run.end(tap)
  return count
}
