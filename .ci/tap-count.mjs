// Counts what ran: every named test (a `t.test` of a test file, or a file that failed before it had any).
import { inspect } from 'node:util'
import { Parser } from 'tap-parser'

/** What is said of one failed assertion at most. */
const MAX_REASON_CHARS = 3000
/** So many files at most are run again: where more fail, the code is broken and not the machine held up. */
const MAX_HELD_UP = 3

/**
 * @typedef {{ passed: number, failed: number, skipped: number, failures: { name: string, reasons: string[] }[] }} Count
 */

/** @returns {Count} */
const nothing = () => ({ passed: 0, failed: 0, skipped: 0, failures: [] })

/**
 * @param {string} tap - a whole run's output
 * @returns {Map<string, Count>} by test file
 */
export function countTests (tap) {
  const counts = new Map()
  const run = new Parser()
  run.on('child', file => {
    const count = nothing()
    counts.set(file.name, count)
    const note = (name, ok, skip, reasons) => {
      if (skip) count.skipped++
      else if (ok) count.passed++
      else {
        count.failed++
        count.failures.push({ name, reasons })
      }
    }
    const tests = new Set()
    file.on('child', test => {
      tests.add(test.name)
      const reasons = []
      collectReasons(test, reasons)
      test.on('complete', result => note(`${file.name} > ${test.name}`, result.ok, result.skip > 0 && result.count === result.skip, reasons))
    })
    // An assertion or a crash outside of any named test, such as a timeout. A test's own line has been counted with it.
    file.on('assert', result => { if (!result.ok && !tests.has(result.name)) note(`${file.name} > ${result.name}`, false, false, [reasonOf(result)]) })
    file.on('complete', result => {
      const skipped = Boolean(result.plan?.skipAll) && !/no tests found/.test(result.plan.comment)
      if (tests.size === 0 && result.failures.length === 0) note(file.name, result.count > 0, skipped, [])
    })
  })
  run.end(tap)
  return counts
}

/**
 * @param {Iterable<Count>} counts
 * @returns {Count}
 */
export function sumOf (counts) {
  const sum = nothing()
  for (const { passed, failed, skipped, failures } of counts) {
    sum.passed += passed
    sum.failed += failed
    sum.skipped += skipped
    sum.failures.push(...failures)
  }
  return sum
}

/**
 * @param {Map<string, Count>} counts - of a whole run
 * @returns {string[]} files that failed and may have done so because the machine was held up: to be run again by themselves
 */
export function heldUp (counts) {
  const failed = [...counts.keys()].filter(file => counts.get(file).failed > 0)
  return failed.length > MAX_HELD_UP ? [] : failed
}

/** Gathers the failed assertions of a test and of the tests inside it. */
function collectReasons (test, reasons) {
  const inner = new Set()
  test.on('child', child => {
    inner.add(child.name)
    collectReasons(child, reasons)
  })
  test.on('assert', result => { if (!result.ok && !inner.has(result.name)) reasons.push(reasonOf(result)) })
}

function reasonOf ({ name, diag }) {
  const { source: _, diff = '', stack = '', ...facts } = diag ?? {}
  return [name, diff, stack, inspect(facts, { depth: 6, breakLength: 160 })].filter(Boolean).join('\n').slice(0, MAX_REASON_CHARS)
}
